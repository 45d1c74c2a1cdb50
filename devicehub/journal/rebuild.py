"""A journal made anew from what was found in another, which is kept aside. Survives a power cut at any point.

What is carried over was published under another epoch, or under none, and its bytes say so. In the new file it has no
number: the new epoch's numbers begin at 1, and a consumer that counts would never find a number that the bytes do not
have. It keeps its position, so that marks and the order of all streams stay as they were; the chain runs from one
carried row to the next, and the whole of it counts as pruned: holes in it are no damage. Up to where it was carried
over, and from where somebody may lack it, is noted: that is sent again to consumers that have confirmed nothing of the
new epoch, and kept for them.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from devicehub.disk import Database, sync_folder, transaction
from devicehub.journal import tables
from devicehub.journal.proof import Finding
from devicehub.journal.rows import Row, digest, genesis, link
from devicehub.journal.tables import Meta, Receipt
from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData
from devicehub.model.stream import Stream

MARKER: Final = ".to-"
_SIDES: Final = ("", "-wal", "-journal")

Ranges = tuple[tuple[int, int], ...]


class Damage(Struct, frozen=True):
    """Why a journal was made anew. Kept in it until it was told.

    `epoch`: of the journal before, "" where unknown. `lost`: numbers of that epoch that are not in the new one and
    may not have reached everybody. `events`: how many events are lost, of what is not numbered too. `carried`: how many
    are not. `kept`: the name of the file that was put aside.
    """

    epoch: str
    findings: tuple[Finding, ...]
    lost: dict[Stream, Ranges]
    events: int
    carried: int
    kept: str

    def gaps(self) -> list[GapData]:
        """What to tell consumers: of each stream the numbers that will not come; of the rest how much it is."""
        gaps = [
            GapData(
                stream.value,
                GapReason.DAMAGED,
                sum(end - begin + 1 for begin, end in ranges),
                epoch=self.epoch,
                ranges=ranges,
            )
            for stream, ranges in self.lost.items()
        ]
        rest = self.events - sum(gap.count or 0 for gap in gaps)
        return gaps + [GapData("hub", GapReason.DAMAGED, rest)] * (rest > 0)

    def __str__(self) -> str:
        first = self.findings[0] if self.findings else "older form"
        return f"{len(self.findings)} findings, first: {first}; {self.events} events lost, {self.carried} carried over"


class Contents(Struct, frozen=True):
    """What a new journal is made of. `rows` in order, as they were stored; `meta` of the new journal."""

    rows: Sequence[Row]
    meta: Meta
    announced: Sequence[str] = ()
    taken: Sequence[tuple[str, str]] = ()
    receipts: Sequence[Receipt] = ()
    quarantine: Sequence[tuple[int, str]] = ()
    damages: Sequence[Damage] = ()


def free_name(path: Path, word: str) -> str:
    """A free name below which a journal's files can be kept: the path's, the word and a number."""
    number = 1
    while any(path.with_name(f"{path.name}.{word}-{number}{side}").exists() for side in _SIDES):
        number += 1
    return f"{path.name}.{word}-{number}"


def replace(path: Path, contents: Contents, kept: str) -> None:
    """Make the new journal, keep the files of the old one as `kept`, and put the new one in its place.

    Raises `sqlite3.Error` and `OSError`; until the new one is whole the old one stays as it is.
    """
    fresh = path.with_name(path.name + ".new")
    for side in ("", "-journal"):
        fresh.with_name(fresh.name + side).unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh, isolation_level=None, factory=Database)) as db:
        db.execute("PRAGMA synchronous=FULL")
        tables.create(db)
        with transaction(db):
            _fill(db, contents)
    fresh.rename(path.with_name(path.name + MARKER + kept.removeprefix(path.name + ".")))
    finish(path)


def finish(path: Path) -> None:
    """Put a new journal that is whole in the place of the old one, as far as that was not done before a power cut."""
    for whole in path.parent.glob(f"{path.name}{MARKER}*"):
        kept = f"{path.name}.{whole.name.removeprefix(path.name + MARKER)}"
        sync_folder(path.parent)
        for side in _SIDES:
            old = path.with_name(path.name + side)
            if old.exists():
                old.rename(path.with_name(kept + side))
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        sync_folder(path.parent)
        whole.rename(path)
        sync_folder(path.parent)


def damages(db: sqlite3.Connection) -> tuple[Damage, ...]:
    """Why journals were made anew, oldest first, until it was told. Raises `ValueError` for what cannot be read."""
    rows = db.execute("SELECT value FROM damage ORDER BY rowid")
    return tuple(msgspec.json.decode(value, type=Damage) for (value,) in rows)


def told(db: sqlite3.Connection) -> None:
    """All damage was made known, durably."""
    db.execute("DELETE FROM damage")


def _fill(db: sqlite3.Connection, contents: Contents) -> None:
    meta = contents.meta
    chain = genesis(meta.epoch)
    rows: list[Row] = []
    for old in contents.rows:
        head = (old[0], old[1], None, *old[3:12])
        own = digest(head, old[12])
        chain = link(chain, own)
        rows.append((*head, old[12], own, chain))
    tables.insert(db, rows)
    tables.write(db, structs.replace(meta, chain=chain), meta.acked)
    state = [("schema", tables.SCHEMA_VERSION), ("pruned", meta.last), ("running", int(meta.running))]
    state += [("carried", meta.last), *((f"owed.{stream}", mark.position) for stream, mark in meta.acked.items())]
    tables.remember(db, state)
    db.executemany("INSERT INTO announced VALUES (?)", [(name,) for name in contents.announced])
    tables.take(db, contents.taken)
    db.executemany("INSERT INTO quarantine VALUES (?, ?)", contents.quarantine)
    receipts = [(one.consumer, one.stream.value, one.number, one.heard) for one in contents.receipts]
    db.executemany("INSERT INTO receipt VALUES (?, ?, ?, ?)", receipts)
    db.executemany("INSERT INTO damage VALUES (?)", [(msgspec.json.encode(one),) for one in contents.damages])
