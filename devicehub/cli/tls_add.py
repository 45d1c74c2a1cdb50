"""`devicehub tls add`."""

import argparse
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json, say
from devicehub.cli.tls_init import certifying, facts
from devicehub.publish.authority import add


def run(args: argparse.Namespace) -> int:
    """Make one more client certificate. Never overwrites."""
    folder: Path = args.folder.absolute()
    with certifying(folder, f"{args.name} has files in {folder}; they are left alone"):
        try:
            made = add(folder, args.name, days=args.days)
        except FileNotFoundError as error:
            raise CommandError(Exit.NO_INPUT, f"{error.filename}: no such file") from None
    if args.json:
        print_json({"name": args.name, **facts(made)})
    else:
        say(f"{made.certificate}, {made.key}: written; valid until {made.until}")
    return Exit.OK
