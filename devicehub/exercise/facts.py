"""Events as they were published to what is judged; those of a journal in their order."""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from devicehub.exercise.judge import ACKED, COMMAND, CONFIRMED
from devicehub.exercise.marks import TYPE
from devicehub.exercise.timed import Fact
from devicehub.journal.browse import MOST, Wish, browse
from devicehub.journal.report import reading
from devicehub.model.errors import JournalDamagedError
from devicehub.publish.topics import EXERCISE_ROOT

_PREFIX: Final = "io.devicehub."
_ACTS: Final = (TYPE, ACKED, CONFIRMED, COMMAND)


class _Event(msgspec.Struct):
    type: str
    time: str
    recordedtime: str = ""
    subject: str = ""
    data: dict[str, object] | None = None


def fact(payload: bytes) -> Fact:
    """One event. Raises `msgspec.MsgspecError`, `ValueError`.

    What people did counts from when they did it. All else counts from when it was recorded, if that is later: before
    that nobody could see it, and an alarm that the hub kept to itself is late whatever time it bears.
    """
    event = msgspec.json.decode(payload, type=_Event)
    word, at = event.type.removeprefix(_PREFIX), _seconds(event.time)
    if word not in _ACTS and event.recordedtime:
        at = max(at, _seconds(event.recordedtime))
    return Fact(at, word, event.subject, event.data or {})


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()


def journal_facts(state: Path, within: str = EXERCISE_ROOT) -> list[Fact]:
    """The events of exercises in a state folder's journal, oldest first; never what is real. Raises `JournalError`.

    `within`: a topic prefix, as that of one exercise.
    """
    path = state / "journal.sqlite"
    with reading(path) as db:
        try:
            return list(_decoded(_newest_first(db, within)))[::-1]
        except (sqlite3.Error, msgspec.MsgspecError, ValueError) as error:
            raise JournalDamagedError(f"{path}: {error}") from error


def _newest_first(db: sqlite3.Connection, within: str) -> Iterator[bytes]:
    before: int | None = None
    while page := list(browse(db, Wish(within=within, before=before, most=MOST))):
        before = page[-1].position
        yield from (one.payload for one in page if one.payload)


def _decoded(payloads: Iterable[bytes]) -> Iterator[Fact]:
    return (fact(payload) for payload in payloads)
