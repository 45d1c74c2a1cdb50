"""`devicehub alarms history`: what happened to alarms, who did it and why."""

import argparse

import msgspec

from devicehub.alarm.lookback import Told
from devicehub.cli.alarms_told import events_told, since_utc
from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json, print_table, say
from devicehub.clock import Clock
from devicehub.log import escaped
from devicehub.model.instant import instant

TITLES = ("TIME", "ALARM", "WHAT", "STATE", "WHO", "DISPOSITION", "WHY")


def run(args: argparse.Namespace) -> int:
    """Print the events that are wanted, the newest last."""
    since = since_utc(args, Clock())
    with events_told(args) as told:
        found = [one for one in told if _wanted(one, args, since)]
    if args.json:
        print_json([_json(one) for one in found])
    elif found:
        print_table(TITLES, [_row(one) for one in found])
    else:
        say("nothing happened")
    return Exit.OK


def _wanted(one: Told, args: argparse.Namespace, since: float | None) -> bool:
    return (
        (since is None or one.time >= since)
        and args.device in {None, one.device}
        and args.state in {None, one.data.state.value}
    )


def _row(one: Told) -> tuple[str, ...]:
    who, why = _who_and_why(one)
    cells = (f"{one.device}/{one.point}", one.word, one.data.state.value, who, _disposition(one), why)
    return (instant(one.time), *(escaped(cell) or "-" for cell in cells))


def _json(one: Told) -> dict[str, object]:
    who, why = _who_and_why(one)
    said = {"who": who, "why": why, "disposition": _disposition(one)}
    return {
        "time": instant(one.time),
        "device": one.device,
        "point": one.point,
        "what": one.word,
        "state": one.data.state.value,
        **said,
        "data": msgspec.to_builtins(one.data),
    }


def _who_and_why(one: Told) -> tuple[str, str]:
    """Of a change that nobody made it is why the alarm ended, where its condition did not."""
    audit = one.data.audit
    return ("", one.data.why) if audit is None else (audit.by, audit.why)


def _disposition(one: Told) -> str:
    """What the alarm turned out to be, as far as that was known then."""
    return "" if one.data.disposition is None else one.data.disposition.code.value
