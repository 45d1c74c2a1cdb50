"""Writes `packaging/60-devicehub.rules` from the drivers' declarations.

python packaging/rules.py          # write
python packaging/rules.py --print  # to standard output
"""

import sys
from pathlib import Path

from devicehub.udev import NAME, rules

TARGET = Path(__file__).with_name(NAME)

if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        print(rules(), end="")
    else:
        TARGET.write_text(rules(), encoding="utf-8")
