"""`devicehub journal replay`."""

import argparse

from devicehub.cli import send
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.config import Config
from devicehub.deliver.quarantine import BUSY
from devicehub.journal import aside, tables
from devicehub.journal.report import writing
from devicehub.lock import is_held
from devicehub.model.stream import Stream


def run(args: argparse.Namespace) -> int:
    """Have the hub deliver events again: the one that runs, by a command; without one, the next that is started."""
    config = given_config(args)
    return _asked(args) if is_held(config.hub.state) else _prepared(config, args)


def _asked(args: argparse.Namespace) -> int:
    what = [("quarantine", "true")] if args.quarantine else [("stream", args.stream), ("after", str(args.first - 1))]
    words = {"target": "hub", "verb": "replay", "args": what, "issuer": None, "reason": "", "deadline": 10.0}
    there = {"node": None, "exercise": False, "broker": None, "config": args.config, "json": args.json}
    return send.run(argparse.Namespace(**words, **there))


def _prepared(config: Config, args: argparse.Namespace) -> int:
    stream = Stream(args.stream)
    with writing(config.hub.state) as db:
        if args.quarantine:
            note(f"{aside.busy(db, BUSY)} events of the quarantine will be sent when the hub runs")
            return Exit.OK
        stored = tables.known(db).numbers[stream]
        if args.first > max(stored, 1):  # what was carried over from a damaged journal has no number here
            raise CommandError(Exit.USAGE, f"--from {args.first}: {stream} has {stored} events")
        waiting = tables.rewind(db, stream, args.first - 1)
    note(f"{waiting} events of {stream} will be sent when the hub runs")
    return Exit.OK
