"""`devicehub alarms rules`: by which rules alarms came, since when, and who changed them why."""

import argparse
from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from devicehub.cli.alarms_told import event_payloads, since_utc
from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json, print_table, say
from devicehub.clock import Clock
from devicehub.log import escaped
from devicehub.model.payload import RulesData

TITLES = ("TIME", "VERSION", "BEFORE", "POINTS", "WHO", "WHY", "DIGEST")
_SHOWN = 19


class _Change(Struct, frozen=True):
    time: str
    data: RulesData


class _Event(Struct, frozen=True):
    type: str


def run(args: argparse.Namespace) -> int:
    """Print each change of the rules that the journal holds, the newest last."""
    since = since_utc(args, Clock())
    with event_payloads(args) as payloads:
        found = [one for one in _changes(payloads) if since is None or _at(one) >= since]
    if args.json:
        print_json([{"time": one.time, **msgspec.to_builtins(one.data)} for one in found])
    elif found:
        print_table(TITLES, [_row(one) for one in found])
    else:
        say("no change of the rules is on record")
    return Exit.OK


def _changes(payloads: Iterator[bytes]) -> Iterator[_Change]:
    for payload in payloads:
        if msgspec.json.decode(payload, type=_Event).type == "io.devicehub.alarm.rules":
            yield msgspec.json.decode(payload, type=_Change)


def _at(one: _Change) -> float:
    return datetime.fromisoformat(one.time).timestamp()


def _row(one: _Change) -> tuple[str, ...]:
    data = one.data
    before = "-" if data.previous is None else _version(data.previous_version)
    cells = (_version(data.version), before, str(data.points), data.author, data.reason, data.digest[:_SHOWN])
    return (one.time, *(escaped(cell) or "-" for cell in cells))


def _version(version: int | None) -> str:
    """Rules that no rule file holds have none."""
    return "none" if version is None else str(version)
