"""`devicehub version`."""

import argparse
import platform
from importlib.metadata import version

from devicehub import __version__
from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json, say

_PARTS = ("pyserial", "pyusb", "bleak", "aiomqtt", "numpy", "pydantic", "msgspec")


def run(args: argparse.Namespace) -> int:
    """Print the version; with --json those of Python and the libraries too."""
    if args.json:
        parts = {name: version(name) for name in _PARTS}
        print_json({"devicehub": __version__, "python": platform.python_version(), **parts})
    else:
        say(f"devicehub {__version__}")
    return Exit.OK
