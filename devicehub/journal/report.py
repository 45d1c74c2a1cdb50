"""What a journal holds, for people: read from its file, beside a running hub or without one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from devicehub.disk import Database
from devicehub.journal import aside, space, tables
from devicehub.lock import held
from devicehub.model.errors import JournalDamagedError, JournalMissingError
from devicehub.model.stream import Stream


class StreamReport(Struct, frozen=True):
    """One stream, as sequence numbers; `waiting`: events that no broker has acknowledged."""

    stored: int
    acked: int
    waiting: int
    oldest: int | None
    consumers: dict[str, int]


class JournalReport(Struct, frozen=True):
    """The whole journal. `heard`: UTC seconds of the last receipt of each consumer. `unclean`: no orderly end."""

    epoch: str
    unclean: bool
    recorded: float | None
    streams: dict[str, StreamReport]
    heard: dict[str, float]
    quarantine: dict[str, int]
    used: int


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal's file, for reading only. Raises `JournalMissingError`, `JournalDamagedError`."""
    if not path.exists():
        raise JournalMissingError(f"{path}: there is no journal; a hub makes it when it runs for the first time")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, factory=Database)) as db:
            yield db
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from error


def report(db: sqlite3.Connection) -> JournalReport:
    """What an open journal holds. Raises `sqlite3.Error`."""
    meta, receipts = tables.known(db), tables.receipts(db)
    waiting = tables.waiting(db, meta.acked)
    heard: dict[str, float] = {}
    for one in receipts:
        heard[one.consumer] = max(one.heard, heard.get(one.consumer, one.heard))
    return JournalReport(
        epoch=meta.epoch,
        unclean=meta.running,
        recorded=meta.recorded,
        streams={
            stream.value: StreamReport(
                stored=meta.numbers[stream],
                acked=meta.acked[stream].number,
                waiting=waiting[stream],
                oldest=space.oldest(db, stream),
                consumers={one.consumer: one.number for one in receipts if one.stream is stream},
            )
            for stream in Stream
        },
        heard={
            one.consumer: max(other.heard for other in receipts if other.consumer == one.consumer) for one in receipts
        },
        quarantine=aside.reasons(db),
        used=tables.used(db),
    )


@contextmanager
def writing(state: Path) -> Iterator[sqlite3.Connection]:
    """The journal's file of a state folder that no hub runs in. Raises `JournalError` and what `reading` does."""
    path = state / "journal.sqlite"
    if not path.exists():
        raise JournalMissingError(f"{path}: there is no journal; a hub makes it when it runs for the first time")
    with held(state):
        try:
            with closing(sqlite3.connect(path, isolation_level=None, factory=Database)) as db:
                db.execute("PRAGMA synchronous=FULL")
                yield db
        except sqlite3.DatabaseError as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: sqlite3.Error) -> JournalDamagedError:
    return JournalDamagedError(f"{path}: {error}; 'devicehub journal verify' says what is wrong, and a start mends it")
