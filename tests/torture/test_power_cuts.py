"""The power goes, again and again: what the journal accepted is there when it comes back.

Each cut is made from the log of what the journal's process did to its disk until it was killed (disk.py): what was not
synced is there in any part, or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.torture.disk import Disk
from tests.torture.judge import Said, Verdict
from tests.torture.shim import FILE, MORE, WAL, Cut, Machine, cuts, judgement, left, salvaged, syncs

pytestmark = pytest.mark.real

CUTS: Final = 20 * MORE
SABOTAGED: Final = 4
EARLIER: Final = 3
CHECKPOINT: Final = 40
"""Pages after which the log is moved into the file: several times in each run, and not once in twenty runs."""


@dataclass(slots=True)
class Tally:
    """Of all cuts. `events`: accepted, over all instants that were judged."""

    cuts: int = 0
    instants: int = 0
    events: int = 0
    lost: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)

    def count(self, cut: Cut, verdict: Verdict) -> None:
        self.instants += 1
        self.events += verdict.events
        self.lost += len(verdict.lost)
        if not verdict.good:
            self.faults.append(f"{cut}: lost {verdict.lost[:5]} {verdict.faults}")

    def __str__(self) -> str:
        figures = f"{self.cuts} power cuts judged at {self.instants} instants, {self.checkpoints} checkpoints"
        return f"{figures}: {self.events} events accepted, {self.lost} lost"


async def _cut(folder: Path, random: Random, settings: dict[str, object], count: int) -> Tally:
    """A chain of cuts, each of them on the disk that the one before left, and some earlier instants of each."""
    tally, said = Tally(count), Said()
    files: Mapping[str, bytes] = {}
    for number in range(count):
        machine = Machine(folder / str(number), files)
        machine.kill_after(machine.start({"CHECKPOINT": CHECKPOINT} | settings), random.choice((1, 30, 100, 300)))
        log = machine.log()
        machine.clear()
        chosen = [*cuts(log, random, EARLIER), Cut(len(log), random.choice((0.0, 0.5, 1.0)))]
        found, disk = left(machine, log, chosen, random, said)
        tally.checkpoints += disk.syncs.get(FILE, 0)
        for one in found:
            tally.count(one.cut, await judgement(one.files, one.said))
        files, said = found[-1].files, found[-1].said
        assert machine.said.stored.items() <= said.stored.items(), "the log knows of all that was told"
    return tally


async def test_no_power_cut_loses_what_was_accepted(tmp_path: Path) -> None:
    tally = await _cut(tmp_path, Random(11), {}, CUTS)
    print(tally)
    assert tally.faults == []
    assert tally.events > 500 * CUTS
    assert tally.checkpoints > 2 * CUTS, "the log was moved into the file while events came in"


@pytest.mark.parametrize("sabotage", ["normal", "late"])
async def test_commits_that_are_not_forced_to_the_disk_are_caught(tmp_path: Path, sabotage: str) -> None:
    tally = await _cut(tmp_path, Random(12), {"SABOTAGE": sabotage}, SABOTAGED)
    print(f"{sabotage}: {tally}")
    assert tally.lost > 0


async def test_a_commit_that_the_power_interrupts_is_no_damage(tmp_path: Path) -> None:
    """All of it was written and nothing of it synced: its end may be there without its begin, over an older log."""
    machine, random = Machine(tmp_path / "machine"), Random(16)
    machine.kill_after(machine.start({"CHECKPOINT": 20, "KEEP": 1}), 60)
    log = machine.log()
    machine.clear()
    chosen = [Cut(place, keep) for place in syncs(log, WAL) for keep in (0.3, 0.6, 0.9)]
    found, _ = left(machine, log, chosen, random, Said())
    tally = Tally(len(found))
    for one in found:
        tally.count(one.cut, await judgement(one.files, one.said))
    print(f"in the middle of a commit: {tally}")
    assert tally.faults == []
    assert tally.cuts >= 30


async def test_a_journal_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """Every instant from the first file to the first events, and the folder may be new itself."""
    machine, random = Machine(tmp_path / "machine"), Random(13)
    assert machine.finish(machine.start({"EVENTS": 11})) == 0, machine.errors
    log = machine.log()
    first = next(place for place, call in enumerate(log) if call.kind == "A")
    chosen = [Cut(instant, keep) for instant in range(0, first + 10, 1 if MORE > 1 else 3) for keep in (0.0, 0.6)]
    found, _ = left(machine, log, chosen, random, Said())
    tally = Tally(len(found))
    for one in found:
        tally.count(one.cut, await judgement(one.files, one.said))
    print(f"at the creation: {tally}")
    assert tally.faults == []
    assert tally.events > 0


def test_the_shim_sees_all_that_sqlite_does_to_the_disk(tmp_path: Path) -> None:
    """What the others rest on: the files that the program sees are those that the log makes, byte by byte."""
    machine = Machine(tmp_path / "machine")
    machine.kill_after(machine.start({"CHECKPOINT": CHECKPOINT}), 200)
    disk = Disk(Random(14))
    for call in machine.log():
        disk.happen(call)
    seen = machine.files()
    logged = disk.image(Random(14), keep=1.0)
    assert {path for path in seen if logged[path] != seen[path]} <= {"state/journal.sqlite-shm"}
    print(f"writes {disk.writes}, syncs {disk.syncs}")
    assert disk.writes[WAL] > 100
    assert disk.writes[FILE] > 10
    assert disk.syncs[WAL] > 20
    assert disk.syncs[FILE] > 2
    assert disk.syncs["state"] > 0
    assert disk.mapped == {"state/journal.sqlite-shm"}, "what is written through memory is not seen"


def _damaged(files: Mapping[str, bytes], number: int) -> dict[str, bytes]:
    """With a changed bit in the stored bytes of that event."""
    content = bytearray(files[FILE])
    content[content.index(f'"id":"{number:026d}"'.encode()) + 10] ^= 1
    return {**files, FILE: bytes(content)}


async def test_no_power_cut_loses_a_sound_event_while_a_damaged_journal_is_made_anew(tmp_path: Path) -> None:
    sound = Machine(tmp_path / "sound")
    assert sound.finish(sound.start({"EVENTS": 66, "KEEP": 1})) == 0, sound.errors
    machine = Machine(tmp_path / "machine", _damaged(sound.files(), 17))
    machine.kill_after(machine.start({"EVENTS": 11, "KEEP": 1}), 1)
    log = machine.log()
    first = next(place for place, call in enumerate(log) if call.kind == "A")
    chosen = [Cut(instant, keep) for instant in range(0, first, 1 if MORE > 1 else 15) for keep in (0.0, 0.5, 1.0)]
    found, _ = left(machine, log, chosen, Random(15), Said())
    wanted = {kept.digest for kept in sound.said.stored.values() if int(kept.name) != 17}
    lost = [(one.cut, len(gone)) for one in found if (gone := wanted - await salvaged(one.files))]
    print(f"while {len(wanted)} events were carried over: {len(found)} power cuts, {len(lost)} of them lost events")
    assert len(found) >= 20
    assert await salvaged(found[0].files) == wanted, "the damaged one is not among them"
    assert lost == []
