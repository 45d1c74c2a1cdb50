"""The journal's file: SQLite in WAL mode with `synchronous=FULL`. Used by one thread at a time, never by a loop.

After an error the connection is given up and opened anew by the next call. A sync that failed leaves pages that count
as clean and are not on the disk, and a log that reads well until the power goes (Rebello et al., "Can Applications
Recover from fsync Failures?", USENIX ATC 2020): so whoever opens the file first writes all of the log into it again,
and takes out what was refused. A file that was removed or replaced under the running hub is noticed before anything
is written into what nobody can find again: what is still to be delivered is written into the new file, and no number
is ever used twice.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from devicehub.disk import Database, sync_folder, transaction
from devicehub.journal import rebuild, salvage, tables
from devicehub.journal.rows import COLUMNS, Entry, Mark, entry_of, row
from devicehub.journal.space import Quota, QuotaError
from devicehub.journal.tables import Meta
from devicehub.model.message import Message, Place
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import RULES, stream_of

_log = logging.getLogger(__name__)

T = TypeVar("T")
Encode = Callable[[Message, Place], Outgoing]
Marks = Mapping[Stream, Mark]


class Ledger:
    """See the module's docstring. Every method raises `sqlite3.Error` or `OSError`."""

    def __init__(self, path: Path, epoch: str, quota: Quota) -> None:
        """`epoch`: of the journal, should it have to be created."""
        self._path = path
        self.quota = quota
        self._db: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._closed = True
        self.meta = Meta.fresh(epoch)
        self.unclean = False
        self.damages: tuple[rebuild.Damage, ...] = ()

    def open(self) -> None:
        """Open or create the file, mark it as in use, and learn what it holds. Damage is repaired and told."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        salvage.ready(self._path, self.meta.epoch)
        db, self.meta = self._connected()
        self.damages = rebuild.damages(db)
        self.unclean = self.meta.running
        self._db, self._closed = db, False

    def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` with the open file; after an error the file is opened anew by the next call."""
        try:
            return work(self._connection())
        except QuotaError:
            raise
        except (sqlite3.Error, OSError) as error:
            self._give_up()
            salvage.suspect(self._path, error)
            raise

    def write(self, messages: Sequence[Message], encode: Encode, recorded: float, marks: Marks) -> list[Entry]:
        """Number, encode and commit; all of it or nothing. `marks`: what was delivered."""
        return self.call(lambda db: self._append(db, messages, encode, recorded, marks))

    def read(self, stream: Stream, after: int, most: int) -> list[Entry]:
        """Stored events of a stream with a position above `after`, in order."""
        query = f"SELECT {COLUMNS} FROM event WHERE stream = ? AND position > ? ORDER BY position LIMIT ?"
        return self.call(lambda db: [entry_of(one) for one in db.execute(query, (stream.value, after, most))])

    def missing(self) -> int | None:
        """After the file was replaced: the last position the new one holds. None when nothing is missing."""
        held = self.call(tables.last)
        return held if held < self.meta.last else None

    def refill(self, entries: Sequence[Entry], marks: Marks) -> None:
        """Write events again, under their numbers, into a file that replaced the one that held them.

        What came before the first of them is not there and counts as deleted.
        """

        def work(db: sqlite3.Connection) -> Meta:
            tables.remember(db, [("pruned", entries[0].position - 1)])
            return _commit(db, entries, self.meta, marks)

        self.meta = self.call(work)

    def close(self, marks: Marks) -> None:
        """Write the delivery marks and close cleanly."""
        self.call(lambda db: tables.finish(db, marks))
        self._closed = True
        self._give_up()

    def _append(
        self, db: sqlite3.Connection, messages: Sequence[Message], encode: Encode, recorded: float, marks: Marks
    ) -> list[Entry]:
        streams = [stream_of(message) for message in messages]
        self.quota.check(db, alarms=all(stream is Stream.ALARMS for stream in streams))
        entries: list[Entry] = []
        numbers = dict(self.meta.numbers)
        for position, (message, stream) in enumerate(zip(messages, streams, strict=True), self.meta.last + 1):
            number = None
            if RULES[message.kind].numbered and message.data is not None:
                number = numbers[stream] = numbers[stream] + 1
            place = Place(self.meta.epoch, stream, number, position, recorded)
            entries.append(Entry(position, stream, number, recorded, message.mono, encode(message, place)))
        meta = self.meta.advanced(entries[-1].position, numbers, recorded)
        records = [(message.device, message.record) for message in messages if message.record]
        self.meta = _commit(db, entries, meta, marks, records)
        return entries

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("the journal is closed")
        if self._db is None:
            self._db = self._reopened()
            _log.debug("journal %s opened again", self._path)
        if self._identity() != self._file:
            raise OSError("the file was removed or replaced")
        return self._db

    def _reopened(self) -> sqlite3.Connection:
        db, held = self._connected(doubt=True)
        try:
            if held.epoch == self.meta.epoch and held.last > self.meta.last:
                _withdraw(db, self.meta)
        except (sqlite3.Error, OSError):
            db.close()
            raise
        return db

    def _connected(self, *, doubt: bool = False) -> tuple[sqlite3.Connection, Meta]:
        """`doubt`: the file failed before, and its log must not be gone on with."""
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, factory=Database)
        try:
            if not tables.settle(db):
                if doubt:
                    raise sqlite3.OperationalError("the log is in use elsewhere and cannot be settled")
                _log.warning("journal %s is in use elsewhere: its log stays as it is", self._path)
            meta = tables.prepared(db, self.meta.epoch)
            self._file = self._identity()
            _sync_names(self._path)
        except (sqlite3.Error, OSError):
            db.close()
            raise
        return db, meta

    def _identity(self) -> tuple[int, int]:
        facts = os.stat(self._path)  # noqa: PTH116 - before every commit; a third of the time of Path.stat
        return facts.st_dev, facts.st_ino

    def _give_up(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()


def _sync_names(path: Path) -> None:
    """Make the names of the files durable; SQLite does not look whether that failed."""
    for folder in (path.parent, path.parent.parent):
        with contextlib.suppress(PermissionError):  # whoever made our folder in there was not us
            sync_folder(folder)


def _withdraw(db: sqlite3.Connection, meta: Meta) -> None:
    """Take out what a commit left behind that was told to have failed: it is appended again, by whoever was told."""
    with transaction(db):
        tables.withdraw(db, meta.last)
        tables.write(db, meta, {})


def _commit(
    db: sqlite3.Connection, entries: Sequence[Entry], meta: Meta, marks: Marks, records: Sequence[tuple[str, str]] = ()
) -> Meta:
    """Write entries and what is known after them in one transaction; gives that with the chain's new end."""
    rows, chain = [], meta.chain
    for entry in entries:
        one = row(entry, chain)
        rows.append(one)
        chain = one[-1]
    after = meta.chained(chain)
    with transaction(db):
        tables.insert(db, rows)
        tables.write(db, after, marks)
        if records:
            tables.take(db, records)
    return after
