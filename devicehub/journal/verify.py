"""Whether a journal holds what was written: every row against its digest, its place in the chain and its number.

A row's content is proven by its digest, or by the chain formed from its content. Where content and digest agree and
the chain does not follow, the row behind says which of the two was changed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from devicehub.disk import Database
from devicehub.journal import tables
from devicehub.journal.proof import Fault, Finding, Value, content, finding, unsealed
from devicehub.journal.rows import COLUMNS, Row, genesis, link
from devicehub.journal.tables import Meta
from devicehub.model.stream import Stream

_WALK: Final = f"SELECT {COLUMNS} FROM event NOT INDEXED WHERE position >= ? ORDER BY position"
_LANE: Final = (
    "SELECT count(*), coalesce(sum(position), 0) FROM event INDEXED BY lane WHERE stream = ? AND position >= ?"
)
_FIRST: Final = "SELECT min(position) FROM event WHERE stream = ? AND position > ?"
_MOST: Final = 100
BROKEN: Final = "its seal is broken"

_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOLFS,
    }
)
"""What says nothing of the file: https://www.sqlite.org/rescode.html."""


Seen = Callable[[int, int], None]


def of_the_file(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, rather than the disk full or somebody else at it."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in _PASSING


def reading(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing and moves nothing from the log to the database. Raises `sqlite3.Error`."""
    db = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None, factory=Database
    )
    db.text_factory = _text
    return db


def unseen(_position: int, _last: int) -> None:
    """Nobody waits to be told how far a verification has come."""


def verify(db: sqlite3.Connection, *, whole: bool = True, seen: Seen = unseen) -> list[Finding]:
    """Everything that is wrong. `whole` False: only with what waits for delivery and the end of the chain.

    `seen` is told the position of each row that was looked at, and of the last one.
    Raises `sqlite3.Error` for what says nothing of the file.
    """
    db.execute("BEGIN")
    try:
        return _verified(db, whole=whole, seen=seen)
    except sqlite3.Error as error:
        if not of_the_file(error):
            raise
        return [Finding(Fault.STRUCTURE, detail=str(error))]
    finally:
        if db.in_transaction:
            db.rollback()


def sealed(db: sqlite3.Connection) -> tuple[dict[str, Value], dict[str, Value] | None]:
    """What is known of the journal, and what its seal says; None where the seal is broken."""
    known: dict[str, Value] = dict(db.execute("SELECT name, value FROM meta"))
    found = db.execute("SELECT value FROM seal").fetchone()
    if found is None or not isinstance(found[0], str):
        return known, None
    return known, unsealed(found[0].encode(errors="surrogateescape"))


def _verified(db: sqlite3.Connection, *, whole: bool, seen: Seen) -> list[Finding]:
    found = list(_structure(db)) if whole else []
    known, seal = sealed(db)
    found += _of_meta(known, seal)
    try:
        meta = tables.meta_of(known if seal is None else seal)
    except (sqlite3.Error, KeyError, ValueError) as error:
        return [*found, Finding(Fault.META, detail=str(error))]
    since = 0 if whole else _since(db, meta)
    walk = _Walk(meta, whole=since == 0)
    for row in db.execute(_WALK, (since,)):
        found += walk.row(row)
        seen(row[0], meta.last)
    found += walk.end()
    found += _lanes(db, since, walk.lanes)
    return found if whole else [*found, *_owed(meta, walk.waiting)]


def _since(db: sqlite3.Connection, meta: Meta) -> int:
    """The row before the first that waits for delivery, and at least the last but one."""
    first = [meta.last]
    for stream, mark in meta.acked.items():
        found = db.execute(_FIRST, (stream.value, mark.position)).fetchone()
        first += [found[0]] if found[0] is not None else []
    return max(min(first) - 1, 0)


def _structure(db: sqlite3.Connection) -> Iterator[Finding]:
    for (text,) in db.execute(f"PRAGMA integrity_check({_MOST})"):
        if text != "ok":
            yield Finding(Fault.STRUCTURE, detail=text)


def _of_meta(known: dict[str, Value], seal: dict[str, Value] | None) -> Iterator[Finding]:
    if seal is None:
        yield Finding(Fault.META, detail=BROKEN)
        return
    for name in sorted(known.keys() | seal.keys()):
        if known.get(name) != seal.get(name):
            yield Finding(Fault.META, detail=f"{name!a} is {known.get(name)!a}, sealed {seal.get(name)!a}")


def _lanes(db: sqlite3.Connection, since: int, lanes: dict[str, tuple[int, int]]) -> Iterator[Finding]:
    """Delivery finds events by an index; whether that finds them all."""
    for stream in Stream:
        indexed: tuple[int, int] = db.execute(_LANE, (stream.value, since)).fetchone()
        if indexed != lanes.get(stream.value, (0, 0)):
            yield Finding(Fault.STRUCTURE, stream=stream.value, detail="its index does not find every row")


def _owed(meta: Meta, waiting: dict[str, int]) -> Iterator[Finding]:
    """The index that said where what waits begins may be damaged itself: the numbers say how much it must be."""
    for stream, mark in meta.acked.items():
        owed, found = meta.numbers[stream] - mark.number, waiting.get(stream.value, 0)
        if owed != found:
            yield Finding(Fault.STRUCTURE, stream=stream.value, detail=f"{owed} numbers wait, {found} are found")


_NOTHING: Final[Row] = (0, "", None, 0.0, "", 0, 0, None, "", "", "", 0, b"", b"", b"")


class _Seen(Struct, frozen=True):
    """The row before. `chain`: as it follows from its content; `stored`: as it stands there."""

    row: Row
    chain: bytes
    stored: bytes
    doubtful: bool = False


class _Walk:
    """Rows in order, each judged with the one before."""

    def __init__(self, meta: Meta, *, whole: bool) -> None:
        self._meta = meta
        start = genesis(meta.epoch)
        self._before: _Seen | None = _Seen(_NOTHING, start, start) if whole else None
        self._numbers: dict[str, tuple[int, int]] = {}
        self._holes: set[str] = set()
        self._acked = {stream.value: mark.position for stream, mark in meta.acked.items()}
        self.lanes: dict[str, tuple[int, int]] = {}
        self.waiting: dict[str, int] = {}

    def row(self, row: Row) -> list[Finding]:
        """What is wrong with the next row, or turns out to be with the one before."""
        count, total = self.lanes.get(row[1], (0, 0))
        self.lanes[row[1]] = (count + 1, total + row[0])
        own = content(row)
        if row[0] > self._meta.last:
            return [finding(row, Fault.INSERTED, f"the last position is {self._meta.last}")]
        found = self._settled(lambda chain: own is not None and link(chain, own) == row[-1])
        found += self._missing(row, own)
        found += self._judged(row, own)
        if own != row[-2]:
            self._holes = set(Stream)
            self.waiting[row[1]] = self.waiting.get(row[1], 0) + (row[0] > self._acked.get(row[1], 0))
            return found
        return found + self._counted(row)

    def end(self) -> list[Finding]:
        """What is wrong with the end."""
        meta, before = self._meta, self._before
        found = self._settled(lambda chain: chain == meta.chain)
        last = 0 if before is None else before.row[0]
        if last < meta.last and meta.last > meta.pruned:
            found.append(Finding(Fault.TAIL, last + 1, last=meta.last))
            self._holes = set(Stream)
        elif before is not None and last == meta.last and meta.chain not in {before.chain, before.stored}:
            found.append(Finding(Fault.META, detail="the chain does not end as the last row does"))
        for stream, number in meta.numbers.items():
            held, _ = self._numbers.get(stream.value, (number, 0))
            if held > number or (held < number and not self._forgiven(stream.value)):
                detail = f"numbered to {held}, counted to {number}"
                found.append(Finding(Fault.META, stream=stream.value, detail=detail))
        return found

    def _settled(self, follows: Callable[[bytes], bool]) -> list[Finding]:
        """Which of content and chain was changed in the row before, if it is not yet known."""
        before = self._before
        if before is None or not before.doubtful:
            return []
        if follows(before.chain):
            return [finding(before.row, Fault.CHAIN)]
        if follows(before.stored):
            return [
                finding(
                    before.row,
                    Fault.CONTENT,
                    "or of rows before it, with their digests: the next row knows another chain",
                )
            ]
        return [finding(before.row, Fault.ORDER, "it does not follow from the row before, nor does the next follow")]

    def _missing(self, row: Row, own: bytes | None) -> list[Finding]:
        before = self._before
        if before is None or row[0] == before.row[0] + 1:
            return []
        if own is not None and link(before.stored, own) == row[-1]:
            return []
        if row[0] - 1 <= self._meta.pruned:
            self._before = None
            return []
        self._before, self._holes = None, set(Stream)
        return [Finding(Fault.MISSING, max(before.row[0], self._meta.pruned) + 1, last=row[0] - 1)]

    def _judged(self, row: Row, own: bytes | None) -> list[Finding]:
        before, proven = self._before, own is not None and own == row[-2]
        follows = (
            before is not None and own is not None and row[-1] in {link(before.chain, own), link(before.stored, own)}
        )
        found: list[Finding] = []
        if not proven and not follows:
            found = [finding(row, Fault.CONTENT)]
        elif not proven:
            found = [finding(row, Fault.DIGEST)]
        doubtful = proven and not follows and before is not None
        there: object = row[-1]
        chain = stored = there if isinstance(there, bytes) else b""  # a changed byte can make it no bytes at all
        if doubtful and before is not None and own is not None:
            chain = link(before.chain, own)
        self._before = _Seen(row, chain, stored, doubtful)
        return found

    def _counted(self, row: Row) -> list[Finding]:
        """Numbers have no holes but those that retention or a row left that is missing or damaged."""
        stream, number = row[1], row[2]
        if number is None:
            return []
        self.waiting[stream] = self.waiting.get(stream, 0) + (row[0] > self._acked[stream])
        before = self._numbers.get(stream)
        excused = self._forgiven(stream)
        self._numbers[stream] = (number, row[0])
        self._holes.discard(stream)
        if before is None or number == before[0] + 1 or (number > before[0] and excused):
            return []
        return [finding(row, Fault.ORDER, f"number {number} comes after {before[0]}")]

    def _forgiven(self, stream: str) -> bool:
        """Whether rows of the stream behind the last one seen were deleted by retention, or are named already."""
        _, position = self._numbers.get(stream, (0, 0))
        return stream in self._holes or position < self._meta.pruned


def _text(raw: bytes) -> str:
    """Damaged text is to be shown, not to end the reading."""
    return raw.decode("utf-8", "surrogateescape")
