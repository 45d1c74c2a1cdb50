"""The disk says no at one call or at all from one on: nothing is accepted that is not there, and it goes on by itself.

After each run the journal is judged as the kernel shows it and as a power cut leaves it: where a sync failed, the two differ.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EIO, ENOSPC
from pathlib import Path
from random import Random
from typing import Final

import pytest

from devicehub.journal.space import BALLAST
from tests.torture.judge import Said, Verdict
from tests.torture.shim import MORE, Cut, Fault, Machine, cuts, judgement, left

pytestmark = pytest.mark.real

SETTINGS: Final[dict[str, object]] = {"EVENTS": 44, "CHECKPOINT": 8}
KINDS: Final = {"O": "open", "W": "write", "S": "sync", "T": "truncate", "U": "remove"}
ROOM: Final = 1 << 20
STUBBORN: Final = 60
"""Refusals one after the other that mean that there is no room at all."""
SELDOM: Final = 1000
"""Pages after which the log is moved into the file: never in such a run, so that much hangs on the log."""
SAMPLE: Final = 3
"""Of each kind of call, how many indices are tried where not all are."""


@dataclass(slots=True)
class Tally:
    """Of all faults. `hit`: calls that failed; `refusals`: times that an event was refused."""

    faults: int = 0
    hit: int = 0
    refusals: int = 0
    instants: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, fault: Fault, place: object, verdict: Verdict) -> None:
        self.instants += 1
        self.lost += len(verdict.lost)
        if not verdict.good:
            self.wrong.append(f"{fault} {place}: lost {verdict.lost[:5]} {verdict.faults}")

    def __str__(self) -> str:
        figures = f"{self.faults} faults, {self.hit} calls failed, {self.refusals} refusals"
        return f"{figures}, judged at {self.instants} instants: {self.lost} accepted events lost"


async def _suffer(folder: Path, fault: Fault, tally: Tally, settings: dict[str, object]) -> None:
    """One run with a fault: it ends by itself with all events stored, and none is lost however the power goes."""
    machine, random = Machine(folder / str(tally.faults)), Random(str(fault))
    code = machine.finish(machine.start(SETTINGS | settings, fault))
    if code != 0 or not machine.said.done:
        tally.wrong.append(f"{fault}: exit code {code}, {machine.errors[-500:]}")
    log = machine.log()
    tally.faults += 1
    tally.hit += sum(call.kind == "X" for call in log)
    tally.refusals += machine.said.refusals
    tally.count(fault, "as it is", await judgement(machine.files(), machine.said, restarted=False))
    machine.clear()
    accepted = [place + 1 for place, call in enumerate(log) if call.kind == "A"]
    chosen = [Cut(random.choice(accepted), 0.0), Cut(random.choice(accepted), 0.5), Cut(accepted[-2], 0.0)]
    for one in left(machine, log, chosen, random, Said())[0]:
        tally.count(fault, one.cut, await judgement(one.files, one.said))


def _calls(folder: Path) -> Counter[str]:
    """How many calls of each kind the run makes when nothing fails."""
    machine = Machine(folder / "sound")
    assert machine.finish(machine.start(SETTINGS)) == 0, machine.errors
    assert machine.said.refusals == 0
    counts = Counter(KINDS[call.kind] for call in machine.log() if call.kind in KINDS)
    machine.clear()
    assert set(counts) == set(KINDS.values()), "each kind of call is made"
    return counts


def _faults(counts: Counter[str], random: Random) -> Iterator[Fault]:
    """Each kind, once and until it is lifted; every call of the run where more is wanted, else some."""
    for kind, calls in counts.items():
        places = range(calls) if MORE > 1 else sorted(random.sample(range(calls), min(calls, SAMPLE)))
        for count in (1, 0):
            yield from (Fault(kind, place, ENOSPC if kind == "write" and place % 2 else EIO, count) for place in places)


async def test_no_fault_of_the_disk_loses_what_was_accepted(tmp_path: Path) -> None:
    tally = Tally()
    for fault in _faults(_calls(tmp_path), Random(21)):
        seldom = fault.kind == "sync" and fault.first % 2 == 1
        await _suffer(tmp_path, fault, tally, {"CHECKPOINT": SELDOM} if seldom else {})
    print(tally)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.hit > tally.faults
    assert tally.refusals > tally.faults


@pytest.mark.parametrize("sabotage", ["late", "deaf", "trusting"])
async def test_a_journal_that_accepts_too_early_or_trusts_a_sync_that_failed_is_caught(
    tmp_path: Path, sabotage: str
) -> None:
    tally, random = Tally(), Random(22)
    settings = {"SABOTAGE": sabotage, "CHECKPOINT": SELDOM, "EVENTS": 88, "KEEP": 1}
    for place in random.sample(range(12, 24), SAMPLE):
        await _suffer(tmp_path, Fault("sync", place, EIO, count=0), tally, settings)
    print(f"{sabotage}: {tally}")
    assert tally.lost > 0


def _mounted(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False).returncode == 0


@contextmanager
def _small(folder: Path) -> Iterator[None]:
    """A disk in memory that is mounted there: the ballast, and little more. Skips the test where that is forbidden."""
    if os.geteuid() != 0 or not _mounted(folder, f"size={BALLAST + ROOM}"):
        pytest.skip("NO DISK THAT IS REALLY FULL IS TESTED: that needs root and the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _until_full(process: subprocess.Popen[bytes], said: Said) -> int:
    """Until it is refused again and again, also with the room of the ballast; gives what was accepted after the first time."""
    assert process.stdout is not None
    refused = after = 0
    for line in process.stdout:
        said.hear(line.decode())
        refused = refused + 1 if line.startswith(b"refused") else 0
        after += said.refusals > 0 and not refused
        if refused > STUBBORN:
            return after
    raise AssertionError("it ended before the disk was full")


async def test_a_full_disk_is_refused_before_anything_is_lost_and_taken_up_when_there_is_room(tmp_path: Path) -> None:
    machine, random = Machine(tmp_path / "machine"), Random(23)
    disk = machine.folder / "disk"
    with _small(disk), machine.start({"KEEP": 1, "CHECKPOINT": 100}) as process:
        try:
            after = _until_full(process, machine.said)
            refusals, accepted = machine.said.refusals, len(machine.said.stored)
            assert _mounted(disk, f"remount,size={4 * BALLAST}")
            machine.kill_after(process, 500)
        finally:
            process.kill()
        now = await judgement(machine.files(), machine.said, restarted=False)
    log = machine.log()
    found, _ = left(machine, log, cuts(log, random, 6), random, Said())
    later = [await judgement(one.files, one.said) for one in found]
    print(
        f"full after {accepted} events, {after} of them with the room of the ballast; {refusals} refusals; then",
        end=" ",
    )
    print(f"{now.events - accepted} more; judged at {1 + len(later)} instants, {len(now.lost)} lost")
    assert [verdict for verdict in (now, *later) if not verdict.good] == []
    assert after > accepted / 2, "the ballast was given back"
    assert now.events > accepted, "and it went on by itself"


def _beyond_full(process: subprocess.Popen[bytes], disk: Path, said: Said) -> None:
    """Until so much is said to be stored after the disk was full."""
    assert process.stdout is not None
    after = 0
    for line in process.stdout:
        said.hear(line.decode())
        after += after > 0 or os.statvfs(disk).f_bavail == 0
        if after > STUBBORN:
            return
    raise AssertionError("it ended before the disk was full")


async def test_a_journal_that_does_not_hear_of_a_full_disk_is_caught(tmp_path: Path) -> None:
    """The sabotage: a commit that fails for want of room counts as stored."""
    machine = Machine(tmp_path / "machine")
    disk = machine.folder / "disk"
    with _small(disk), machine.start({"KEEP": 1, "CHECKPOINT": 100, "SABOTAGE": "deaf"}) as process:
        try:
            _beyond_full(process, disk, machine.said)
        finally:
            process.kill()
        verdict = await judgement(machine.files(), machine.said, restarted=False)
    print(f"deaf on a full disk: {len(machine.said.stored)} said to be stored, {len(verdict.lost)} lost")
    assert verdict.lost
