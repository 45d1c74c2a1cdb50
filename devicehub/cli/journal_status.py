"""`devicehub journal status`."""

import argparse

import msgspec

from devicehub.cli.exits import Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, print_table, say
from devicehub.journal.report import JournalReport, reading, report
from devicehub.model.instant import instant

JOURNAL = "journal.sqlite"
MIB = 1 << 20


def run(args: argparse.Namespace) -> int:
    """Print what the journal holds; a running hub is not disturbed."""
    config = given_config(args)
    with reading(config.hub.state / JOURNAL) as db:
        found = report(db)
    if args.json:
        print_json(msgspec.to_builtins(found))
    else:
        _print(found, config.journal.gib)
    return Exit.OK


def _print(found: JournalReport, gib: float) -> None:
    rows = [
        (name, _number(one.oldest), str(one.stored), str(one.acked), _received(one.consumers), str(one.waiting))
        for name, one in found.streams.items()
    ]
    print_table(("STREAM", "OLDEST KEPT", "STORED", "BROKER HAS", "CONSUMERS HAVE", "FOR THE BROKER"), rows)
    since = "nothing yet" if found.recorded is None else f"last event {instant(found.recorded)}"
    state = "in use, or ended without goodbye" if found.unclean else "closed"
    say(f"epoch {found.epoch}, {since}, {state}; {found.used / MIB:.1f} MiB of {gib * 1024:.0f}")
    for consumer, heard in found.heard.items():
        say(f"consumer {consumer}: last receipt {instant(heard)}, as kept every 5 s")
    if not found.heard:
        say("no durable consumer is registered: what the broker acknowledged counts as delivered")
    for why, count in found.quarantine.items():
        say(f"{count} in quarantine: {why}")


def _number(number: int | None) -> str:
    return "-" if number is None else str(number)


def _received(consumers: dict[str, int]) -> str:
    return _number(min(consumers.values(), default=None))
