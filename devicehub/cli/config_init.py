"""`devicehub config init`."""

import argparse
from pathlib import Path

from devicehub.cli.exits import Exit
from devicehub.cli.output import new_file, print_json, say
from devicehub.config.resources import shipped


def run(args: argparse.Namespace) -> int:
    """Write the configuration that ships: every key, commented; `-` is standard output. Never overwrites."""
    path: Path = args.file
    text = shipped("devicehub.toml").read_text(encoding="utf-8")
    if str(path) == "-":
        say(text.rstrip("\n"))
        return Exit.OK
    with new_file(path) as stream:
        stream.write(text)
    if args.json:
        print_json({"file": str(path)})
    else:
        say(f"{path}: written; set hub.site and hub.node, add devices, then run: devicehub config check {path}")
    return Exit.OK
