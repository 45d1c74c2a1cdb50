"""`devicehub config init`."""

import argparse
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json
from devicehub.config.resources import shipped


def run(args: argparse.Namespace) -> int:
    """Write the configuration that ships: every key, commented. Never overwrites."""
    path: Path = args.file
    text = shipped("devicehub.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise CommandError(Exit.FAILURE, f"{path} exists; it is left alone") from None
    if args.json:
        print_json({"file": str(path)})
    else:
        print(f"{path}: written; set hub.site and hub.node, add devices, then run: devicehub config check {path}")
    return Exit.OK
