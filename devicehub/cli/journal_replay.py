"""`devicehub journal replay`."""

import argparse

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.deliver.quarantine import BUSY
from devicehub.journal import tables
from devicehub.journal.report import writing
from devicehub.model.stream import Stream


def run(args: argparse.Namespace) -> int:
    """Have the next run of the hub deliver events again, while none runs."""
    stream = Stream(args.stream)
    with writing(given_config(args).hub.state) as db:
        if args.quarantine:
            note(f"{tables.busy(db, BUSY)} events of the quarantine will be sent when the hub runs")
            return Exit.OK
        stored = tables.known(db).numbers[stream]
        if args.first > stored:
            raise CommandError(Exit.USAGE, f"--from {args.first}: {stream} has {stored} events")
        waiting = tables.rewind(db, stream, args.first - 1)
    note(f"{waiting} events of {stream} will be sent when the hub runs")
    return Exit.OK
