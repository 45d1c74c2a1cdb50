"""`devicehub tls add`."""

import argparse
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json
from devicehub.cli.tls_init import facts
from devicehub.publish.authority import add


def run(args: argparse.Namespace) -> int:
    """Make one more client certificate. Never overwrites."""
    folder: Path = args.folder.absolute()
    try:
        made = add(folder, args.name, days=args.days)
    except FileExistsError:
        raise CommandError(Exit.FAILURE, f"{args.name} has files in {folder}; they are left alone") from None
    if args.json:
        print_json({"name": args.name, **facts(made)})
    else:
        print(f"{made.certificate}, {made.key}: written; valid until {made.until}")
    return Exit.OK
