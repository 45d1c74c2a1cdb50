"""`devicehub journal discharge`."""

import argparse

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.journal import tables
from devicehub.journal.report import writing


def run(args: argparse.Namespace) -> int:
    """Forget a durable consumer, while no hub runs: what only it lacked may be forgotten then."""
    with writing(given_config(args).hub.state) as db:
        known = sorted({one.consumer for one in tables.receipts(db)})
        if args.consumer not in known:
            raise CommandError(Exit.USAGE, f"no consumer '{args.consumer}'; registered: {', '.join(known) or 'none'}")
        tables.keep_receipts(db, [], [args.consumer])
    note(f"{args.consumer} is not waited for any more")
    return Exit.OK
