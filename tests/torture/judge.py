"""Whether a journal that was found on a disk keeps what its process said."""

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from devicehub.clock import Clock
from devicehub.journal import Entry, Journal
from devicehub.journal.rows import COLUMNS, digest, genesis, link
from devicehub.model.stream import Stream
from tests.torture.appender import NAME, STATE, encode, event

_STORED: Final = re.compile(r"stored (\d+) (\w+) (\d+|-) (\d{26}) ([0-9a-f]{64})")
EVERYTHING: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one event: all that a consumer goes by."""

    stream: str
    number: int | None
    name: str
    digest: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(entry.stream, entry.number, entry.out.id, hashlib.sha256(entry.out.payload).hexdigest())


@dataclass(slots=True)
class Said:
    """What a process said, by position; everything up to `floor` may be forgotten."""

    stored: dict[int, Kept] = field(default_factory=dict)
    refusals: int = 0
    floor: int = 0
    done: bool = False
    twice: list[int] = field(default_factory=list)
    _rest: str = ""

    def hear(self, text: str) -> None:
        """A piece of what it says; what follows the last line feed is not said yet."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)

    def copy(self) -> "Said":
        """As it is now, for another process to go on from."""
        return replace(self, stored=dict(self.stored), twice=list(self.twice), _rest="")

    def _line(self, line: str) -> None:
        match line.split(" "):
            case ["refused", _]:
                self.refusals += 1
            case ["delivered", floor]:
                self.floor = max(self.floor, int(floor))
            case ["done"]:
                self.done = True
            case _:
                self._stored(line)

    def _stored(self, line: str) -> None:
        found = _STORED.fullmatch(line)
        assert found is not None, line
        position, stream, number, name, digest = found.groups()
        if int(position) in self.stored:
            self.twice.append(int(position))
        self.stored[int(position)] = Kept(stream, None if number == "-" else int(number), name, digest)


@dataclass(slots=True)
class Verdict:
    """`lost`: accepted and gone or changed, by position. `faults`: whatever else is wrong, in words."""

    events: int = 0
    lost: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.lost and not self.faults


def laid(files: Mapping[str, bytes], folder: Path, *, restarted: bool = True) -> Path:
    """The files of an image, in `folder`; gives the folder of the state. `restarted`: the machine was, as by a cut."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/ballast"):
            continue
        if path.endswith("-shm"):
            content = b"\xa5" * len(content)  # noqa: PLW2901 - what was in that memory is anybody's guess
        if path.endswith("-boot") and restarted:
            content = b"another start\n"  # noqa: PLW2901 - this test does not restart the machine itself
        place.write_bytes(content)
    return folder / STATE


async def judged(state: Path, said: Said) -> Verdict:
    """Open the journal as the hub would, and compare. What it holds is then one event longer."""
    verdict = Verdict(len(said.stored))
    journal = Journal(state / NAME, encode, Clock())
    await journal.open()
    _say(verdict, (f"a power cut is no damage: {damage}" for damage in journal.damages))
    found = [entry for stream in Stream for entry in await journal.peek(stream, 0, EVERYTHING)]
    held = {entry.position: Kept.of(entry) for entry in found}
    verdict.lost = sorted(
        position
        for position, kept in said.stored.items()
        if held.get(position) != kept and (position in held or position > said.floor)
    )
    _say(verdict, _holes(held, said.floor, journal.last))
    if said.twice:
        verdict.faults.append(f"positions given twice: {said.twice[:5]}")
    after = max([journal.last, *held, *said.stored])
    if (position := await journal.append([event(999_999_999)])) != after + 1:
        verdict.faults.append(f"the next position is {position}, after {after}")
    await journal.close()
    _say(verdict, await asyncio.to_thread(_damage, state / NAME))
    return verdict


async def digests(state: Path) -> set[str]:
    """The SHA-256 of every event of a journal that says that it was damaged; none of one that is silent."""
    journal = Journal(state / NAME, encode, Clock())
    await journal.open()
    found = {Kept.of(entry).digest for stream in Stream for entry in await journal.peek(stream, 0, EVERYTHING)}
    await journal.close()
    return found if journal.damages else set()


def _say(verdict: Verdict, faults: Iterable[str]) -> None:
    verdict.faults += faults


def _holes(held: Mapping[int, Kept], floor: int, last: int) -> Iterable[str]:
    """Positions without a hole above what was forgotten, numbers without one in each stream, no event twice."""
    above = sorted(position for position in held if position > floor)
    if above != list(range(floor + 1, last + 1)):
        yield f"positions above {floor} up to {last} are {above[:5]}..., {len(above)} of them"
    for stream in Stream:
        numbers = [held[position].number for position in above if held[position].stream == stream]
        counted = [number for number in numbers if number is not None]
        if counted and counted != list(range(counted[0], counted[0] + len(counted))):
            yield f"numbers of {stream} are {counted}"
    names = [kept.name for kept in held.values()]
    if len(set(names)) != len(names):
        yield f"stored twice: {sorted({name for name in names if names.count(name) > 1})[:5]}"


def _damage(file: Path) -> Iterable[str]:
    """What SQLite itself says of the file, and whether every row is what was written, in the order it was."""
    faults = []
    with closing(sqlite3.connect(file)) as db:
        if (said := db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            faults.append(f"integrity: {said}")
        (epoch,) = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
        chain: dict[int, bytes] = {0: genesis(epoch)}
        for row in db.execute(f"SELECT {COLUMNS} FROM event ORDER BY position"):
            position, before = row[0], chain.get(row[0] - 1)
            chain[position] = row[-1]
            if digest(row[:12], row[12]) != row[13]:
                faults.append(f"row {position} is not what was stored")
            elif before is not None and link(before, row[-2]) != row[-1]:
                faults.append(f"row {position} does not follow the one before")
    return faults
