"""One changed bit in the files of a journal: what plain SQLite makes of it, and what must become of every event.

Knows nothing of how the journal finds damage. What a row's bytes are is written down here from the file format
(https://www.sqlite.org/fileformat2.html), what was stored is read by plain SQLite before anything is changed.
"""

import random
import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devicehub.clock import Clock
from devicehub.journal import Journal
from devicehub.journal.rows import Entry
from devicehub.model.message import Kind, Message
from devicehub.model.payload import HubEventData
from devicehub.model.stream import Stream
from tests.real.journals import NAME, RAISED, alarm_state, encode, event, image, made
from tests.unit.publish.examples import TIME

FILES = (NAME, NAME + "-wal")
PAGE = 4096

Columns = tuple[int | float | str | bytes | None, ...]


@dataclass(frozen=True)
class Image:
    """The files of a journal, what they hold by position, and what of it was delivered."""

    name: str
    files: dict[str, bytes]
    rows: dict[int, Columns]
    acked: dict[str, int]

    def waiting(self) -> set[int]:
        return {position for position, row in self.rows.items() if position > self.acked[str(row[1])]}

    def flips(self, random_: random.Random) -> Iterator[tuple[str, int]]:
        """Files and bits of them, each bit as likely as any other."""
        sizes = [len(data) for data in self.files.values()]
        while True:
            (name,) = random_.choices(list(self.files), sizes)
            yield name, random_.randrange(8 * len(self.files[name]))


@dataclass
class Count:
    """What became of all flips."""

    flips: int = 0
    harmless: int = 0
    changes: int = 0
    salvages: int = 0
    recovered: int = 0
    lost: int = 0
    blind: int = 0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Sequence["Count"]) -> "Count":
        """The sum of several."""
        whole = cls()
        for part in parts:
            for name, value in vars(part).items():
                setattr(whole, name, getattr(whole, name) + value)
        return whole

    def __str__(self) -> str:
        return (
            f"{self.flips} flips: {self.harmless} without effect, {self.changes} events changed or out of SQLite's reach,"
            f" {self.recovered} of them recovered, {self.lost} lost and named, {self.salvages} journals made anew,"
            f" {self.blind} content changes SQLite's own check does not see; wrong: {len(self.wrong)}"
        )


def large(number: int, text: str) -> Message:
    """An event that does not fit on a page, if the text is long."""
    return Message(Kind.EVENT, "hub.started", f"{number:026d}", TIME, 1.0, HubEventData("hub", text))


async def grown(journal: Journal, commits: int, seed: int) -> None:
    """Commits of small and large events, alarms among them; the first half is delivered."""
    random_ = random.Random(seed)
    for commit in range(commits):
        messages = [event(1000 * commit + number) for number in range(random_.randrange(6, 24))]
        messages.insert(3, alarm_state("tnt", RAISED if commit % 3 else None))
        text = random_.randbytes(random_.choice((1400, 2400, 5200, 9000))).hex()
        messages.insert(2, large(1000 * commit + 999, text))
        await journal.append(messages)
        if commit == commits // 2:
            for stream in Stream:
                for entry in await journal.peek(stream, 0, 10_000):
                    journal.ack(entry)


async def images(folder: Path) -> list[Image]:
    """Closed cleanly; crashed with everything in the log; crashed with old and new frames in the log."""
    found = []
    for name, commits, again in (("closed", 6, 0), ("crashed", 3, 0), ("reused", 3, 2)):
        place = folder / name
        journal = made(place)
        await journal.open()
        await grown(journal, commits, commits)
        if again:
            with closing(sqlite3.connect(place / NAME)) as db:
                db.execute("PRAGMA wal_checkpoint(FULL)")
            await grown(journal, again, again)
        if name == "closed":
            await journal.close()
        found.append(_image(name, image(place, folder / f"{name}-image")))
        if name != "closed":
            await journal.close()
    return found


def _image(name: str, folder: Path) -> Image:
    files = {file: (folder / file).read_bytes() for file in FILES if (folder / file).exists()}
    with closing(sqlite3.connect(folder / NAME)) as db:
        rows: dict[int, Columns] = {row[0]: row for row in db.execute("SELECT * FROM event")}
        meta = dict(db.execute("SELECT name, value FROM meta"))
    image_ = Image(name, files, rows, {stream.value: meta.get(f"acked.{stream}", 0) for stream in Stream})
    joined = b"".join(files.values())
    assert rows, name
    assert all(piece in joined for row in rows.values() for piece in pieces(row)), "the format is not as described"
    return image_


def plainly(folder: Path) -> dict[int, Columns] | None:
    """What SQLite says the events are; None where it refuses to read them all."""
    try:
        with closing(sqlite3.connect(folder / NAME)) as db:
            return {row[0]: row for row in db.execute("SELECT * FROM event NOT INDEXED")}
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def sound_to_sqlite(folder: Path) -> bool:
    """What SQLite's own check says."""
    try:
        with closing(sqlite3.connect(folder / NAME)) as db:
            return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except (sqlite3.Error, UnicodeDecodeError):
        return False


class AtOnce(Executor):
    """Does what it is given before it answers: two thousand journals need no thread each."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **named))
        except Exception as error:  # noqa: BLE001 - the future's to tell
            done.set_exception(error)
        return done


class Bench:
    """Flips bits, one at a time, opens what is left, and counts."""

    def __init__(self, folder: Path) -> None:
        self._own, self._plain = folder / "own", folder / "plain"
        self._plain.mkdir()
        self._own.mkdir()
        self.count = Count()

    async def flip(self, image_: Image, file: str, bit: int) -> None:
        files = dict(image_.files)
        changed = bytearray(files[file])
        changed[bit // 8] ^= 1 << bit % 8
        files[file] = bytes(changed)
        for folder in (self._own, self._plain):
            _laid(folder, files)
        where = f"{image_.name} {file} bit {bit}"
        differs = self._differs(image_)
        self.count.flips += 1
        journal = Journal(self._own / NAME, encode, Clock(), AtOnce())
        try:
            await journal.open()
            await self._judge(image_, journal, differs, where, b"".join(files.values()))
            await journal.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the journal is of no use
            self.count.wrong.append(f"{where}: {error!r}")

    def _differs(self, image_: Image) -> set[int] | None:
        """Positions of which plain SQLite says something else than what was stored; None: it refuses to read."""
        seen = plainly(self._plain)
        if seen is None:
            return None
        differs = {at for at in seen.keys() | image_.rows.keys() if seen.get(at) != image_.rows.get(at)}
        changed = any(at in seen for at in differs)
        self.count.blind += changed and sound_to_sqlite(self._plain)
        return differs

    async def _judge(
        self, image_: Image, journal: Journal, differs: set[int] | None, where: str, joined: bytes
    ) -> None:
        damage, count = next(iter(journal.damages), None), self.count
        named = set() if damage is None else {at for one in damage.findings for at in _named(one.position, one.last)}
        wrong = [
            *await self._delivered(image_, journal, named, joined),
            *self._changes(image_, differs or set(), named),
        ]
        if damage is None and differs != set():
            wrong.append(f"{differs or 'something'} changed, and nothing is said")
        count.wrong += [f"{where}: {what}" for what in wrong]
        count.salvages += damage is not None
        count.harmless += damage is None and not differs

    async def _delivered(self, image_: Image, journal: Journal, named: set[int], joined: bytes) -> list[str]:
        """What is wrong with what waits for delivery."""
        delivered = {entry.position: entry for stream in Stream for entry in await _all(journal, stream)}
        wrong = [
            f"{at} is delivered, and is not what was stored"
            for at, entry in delivered.items()
            if at not in image_.rows or not _same(entry, image_.rows[at])
        ]
        gone = image_.waiting() - delivered.keys()
        self.count.lost += len(gone)
        wrong += [f"{at} is lost without a word" for at in gone - named]
        intact = [at for at in gone if all(piece in joined for piece in pieces(image_.rows[at]))]
        return wrong + [f"{at} is undamaged, and lost" for at in intact]

    def _changes(self, image_: Image, differs: set[int], named: set[int]) -> list[str]:
        """Which changes of what SQLite says were neither named nor undone."""
        held = (plainly(self._own) or {}) if differs else {}
        saved = {at for at in differs if at in held and held[at][4:13] == image_.rows.get(at, ())[4:13]}
        self.count.changes += len(differs)
        self.count.recovered += len(saved)
        return [f"{at} changed, and is not named" for at in differs - named - saved]


async def _all(journal: Journal, stream: Stream) -> list[Entry]:
    return await journal.peek(stream, journal.acked[stream].position, 100_000)


def _laid(folder: Path, files: dict[str, bytes]) -> None:
    for old in folder.glob(NAME + "*"):
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _named(first: int, last: int) -> range:
    return range(first, max(first, last) + 1)


def _same(entry: Entry, row: Columns) -> bool:
    out = entry.out
    mine = (out.topic, out.qos, int(out.retain), out.expiry, out.type, out.id, out.subject)
    return (entry.position, entry.stream.value, entry.recorded) == (row[0], row[1], row[3]) and (
        (*mine, out.payload) == (*row[4:11], row[12])
    )


def pieces(row: Columns) -> list[bytes]:
    """The bytes of a row as they stand in a file: row id and record, what does not fit on the page in pieces."""
    kinds, values = zip(*[(b"\0", b""), *map(_encoded, row[1:])], strict=True)
    head = b"".join(kinds)
    record = bytes([len(head) + 1]) + head + b"".join(values)
    local = len(record)
    if local > PAGE - 35:
        least = (PAGE - 12) * 32 // 255 - 23
        some = least + (local - least) % (PAGE - 4)
        local = some if some <= PAGE - 35 else least
    rest = record[local:]
    assert isinstance(row[0], int)
    return [_varint(row[0]) + record[:local], *(rest[at : at + PAGE - 4] for at in range(0, len(rest), PAGE - 4))]


def _encoded(value: float | str | bytes | None) -> tuple[bytes, bytes]:
    """Type and value in a record."""
    if value is None:
        return b"\0", b""
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return _varint(2 * len(raw) + (13 if isinstance(value, str) else 12)), raw
    if value in {0, 1}:
        return bytes([8 + int(value)]), b""
    if value % 1:
        return b"\7", struct.pack(">d", value)
    size = next(size for size in (1, 2, 3, 4, 6, 8) if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1)
    return bytes([(1, 2, 3, 4, 6, 8).index(size) + 1]), int(value).to_bytes(size, "big", signed=True)


def _varint(value: int) -> bytes:
    raw = [value & 0x7F]
    while value := value >> 7:
        raw.append(value & 0x7F | 0x80)
    return bytes(reversed(raw))
