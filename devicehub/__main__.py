"""`devicehub` and `python -m devicehub`."""

import sys

from devicehub.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
