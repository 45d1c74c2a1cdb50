"""What happened to alarms, out of the configured journal. Shared by the `alarms` commands."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.alarm.lookback import Told
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.clock import Clock
from devicehub.journal.happened import alarm_events
from devicehub.journal.report import reading
from devicehub.model.payload import AlarmData

JOURNAL: Final = "journal.sqlite"
_WORD: Final = "io.devicehub.alarm."
_OF_ALL: Final = frozenset({"flood", "statistics", "rules"})


class _Event(Struct, frozen=True):
    type: str
    subject: str = ""
    time: str = ""
    data: msgspec.Raw = msgspec.Raw()


@contextmanager
def events_told(args: argparse.Namespace) -> Iterator[Iterator[Told]]:
    """All events of alarm points, oldest first; a running hub is not disturbed. What is illegible is counted aloud.

    Raises `ConfigProblems`, `CommandError` and `JournalError`.
    """
    with event_payloads(args) as payloads:
        yield _told(payloads)


@contextmanager
def event_payloads(args: argparse.Namespace) -> Iterator[Iterator[bytes]]:
    """What was published of alarms in events, oldest first. Raises as `events_told`."""
    config = given_config(args)
    with reading(config.hub.state / JOURNAL) as db:
        yield alarm_events(db, exercise=config.hub.exercise)


def since_utc(args: argparse.Namespace, clock: Clock) -> float | None:
    """`--since` as UTC seconds; None for everything there is."""
    given: timedelta | datetime | None = args.since
    if given is None:
        return None
    return clock.utc() - given.total_seconds() if isinstance(given, timedelta) else given.timestamp()


def _told(payloads: Iterator[bytes]) -> Iterator[Told]:
    illegible = 0
    for payload in payloads:
        try:
            one = _decoded(payload)
        except ValueError:
            illegible += 1
            continue
        if one is not None:
            yield one
    if illegible:
        note(f"{illegible} events are damaged or of another make and were left out; see 'devicehub journal verify'")


def _decoded(payload: bytes) -> Told | None:
    """None for floods, figures and rules, which are of no point. Raises `ValueError`."""
    event = msgspec.json.decode(payload, type=_Event)
    word = event.type.removeprefix(_WORD)
    if word in _OF_ALL:
        return None
    device, slash, point = event.subject.partition("/")
    if not slash or not event.type.startswith(_WORD):
        raise ValueError(f"{event.type} of {event.subject!r} is no event of an alarm point")
    data = msgspec.json.decode(event.data, type=AlarmData)
    return Told(datetime.fromisoformat(event.time).timestamp(), device, point, word, data)
