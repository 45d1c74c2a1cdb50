"""A program whose disk we hold: every operation on its files is logged, and some of them can be made to fail."""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from errno import EIO
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Final

from tests.memory import in_memory
from tests.programs import lacking, needed
from tests.torture.appender import NAME, STATE
from tests.torture.disk import Call, Disk, calls
from tests.torture.judge import Said, Verdict, digests, judged, laid

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = Path(__file__).with_name("disk_shim.c")
PROGRAM: Final = "tests.torture.appender"
FILE: Final = f"{STATE}/{NAME}"
WAL: Final = f"{FILE}-wal"
DEADLINE: Final = 60
MORE: Final = int(os.environ.get("DEVICEHUB_TORTURE", "1"))
"""How many times the usual number of trials."""


@cache
def library() -> Path:
    """The compiled shim. Ends the test where there is no compiler."""
    if sys.platform != "linux":
        lacking("NO POWER CUT AND NO FAULT OF THE DISK IS TESTED: that needs Linux")
    compiler = needed("gcc", "cc")
    made = Path(mkdtemp(prefix="devicehub-shim-")) / "disk_shim.so"
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-O2",
        "-Wall",
        "-Werror",
        "-o",
        str(made),
        str(SOURCE),
        "-ldl",
        "-lpthread",
    ]
    atexit.register(shutil.rmtree, made.parent)
    subprocess.run(command, check=True)
    return made


@dataclass(frozen=True, slots=True)
class Fault:
    """Calls number `first` (from 0) and later of a kind fail, `count` of them; 0 is until the program lifts it."""

    kind: str
    first: int
    error: int = EIO
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind}:{self.first}:{self.error}:{self.count}"


class Machine:
    """A folder for one run of the program, the log of its disk, and what it said."""

    def __init__(self, folder: Path, before: Mapping[str, bytes] | None = None) -> None:
        """`before`: the files that are there at first."""
        self.folder = folder
        self.before = {path: content for path, content in (before or {}).items() if not path.endswith("/ballast")}
        self.said = Said()
        (folder / "disk").mkdir(parents=True)
        laid(self.before, folder / "disk")

    def start(self, settings: Mapping[str, object], fault: Fault | None = None) -> subprocess.Popen[bytes]:
        """The program; `settings` are variables of its environment (appender.py)."""
        variables = {f"APPENDER_{name}": str(value) for name, value in settings.items()}
        if fault is not None:
            variables |= {"DISK_FAULT": str(fault), "DISK_LIFT": str(self.folder / "lift")}
        disk = (self.folder / "disk").resolve()
        shim = {"LD_PRELOAD": str(library()), "DISK_ROOT": str(disk), "DISK_LOG": str(self.folder / "log")}
        command = [sys.executable, "-m", PROGRAM, str(disk / STATE)]
        with (self.folder / "errors").open("wb") as errors:
            return subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, env=os.environ | shim | variables
            )

    def kill_after(self, process: subprocess.Popen[bytes], lines: int) -> None:
        """End it at once, some time after it said that many lines."""
        assert process.stdout is not None
        with process:
            told = b"".join(process.stdout.readline() for _ in range(lines))
            process.kill()
            told += process.stdout.read()
        self.said.hear(told.decode())
        assert told, self.errors

    def finish(self, process: subprocess.Popen[bytes]) -> int:
        """Until it ends by itself; gives its exit code."""
        try:
            told, _ = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        self.said.hear(told.decode())
        return process.returncode

    @property
    def errors(self) -> str:
        """What the program said on standard error."""
        return (self.folder / "errors").read_text()

    def log(self) -> list[Call]:
        """Everything that happened to the disk. The file is large and goes."""
        content = (self.folder / "log").read_bytes()
        (self.folder / "log").unlink()
        return list(calls(content))

    def files(self) -> dict[str, bytes]:
        """What is in the folder, as the kernel has it."""
        disk = self.folder / "disk"
        return {str(path.relative_to(disk)): path.read_bytes() for path in disk.rglob("*") if path.is_file()}

    def clear(self) -> None:
        """The files as the program saw them go; a cut is made from the log."""
        shutil.rmtree(self.folder / "disk")


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes before record number `instant` of the log; each sector not synced is there with chance `keep`."""

    instant: int
    keep: float


def cuts(log: list[Call], random: Random, most: int) -> list[Cut]:
    """Instants of a log: right after an event was accepted, when nothing else happened yet; early; and any."""
    accepted = [place + 1 for place, call in enumerate(log) if call.kind == "A"]
    instants = []
    for count in range(most):
        any_time = random.randint(0, len(log) if count % 3 else min(40, len(log)))
        instants.append(random.choice(accepted) if count % 3 == 1 else any_time)
    return [Cut(instant, random.choice((0.0, 0.0, 1.0, random.random()))) for instant in sorted(instants)]


def syncs(log: list[Call], path: str) -> list[int]:
    """The places in a log where a file is about to be synced."""
    names: dict[int, str] = {}
    found = []
    for place, call in enumerate(log):
        if call.kind == "O":
            names[call.descriptor] = call.path
        elif call.kind == "S" and names[call.descriptor] == path:
            found.append(place)
    return found


@dataclass(frozen=True, slots=True)
class Left:
    """What a cut leaves, and what had been said by then."""

    cut: Cut
    files: dict[str, bytes]
    said: Said


def left(machine: Machine, log: list[Call], chosen: list[Cut], random: Random, said: Said) -> tuple[list[Left], Disk]:
    """After each of the chosen cuts, in the log's order; and the disk after the last of them.

    `said`: what was said before this log begins.
    """
    disk, heard, place, found = Disk(random, machine.before), said.copy(), 0, []
    for cut in sorted(chosen, key=lambda one: one.instant):
        while place < cut.instant:
            if log[place].kind == "A":
                heard.hear(log[place].text.decode())
            disk.happen(log[place])
            place += 1
        found.append(Left(cut, disk.image(random, cut.keep), heard.copy()))
    return found, disk


async def judgement(files: Mapping[str, bytes], said: Said, *, restarted: bool = True) -> Verdict:
    """Of what a cut left. It is laid out in memory where that can be: no more power cuts are to come."""
    with in_memory() as folder:
        return await judged(laid(files, folder, restarted=restarted), said)


async def salvaged(files: Mapping[str, bytes]) -> set[str]:
    """The SHA-256 of every event that a damaged journal still gives; nothing of one that does not say that it was."""
    with in_memory() as folder:
        return await digests(laid(files, folder))
