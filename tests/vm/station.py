"""A workstation whose power goes: a journal under load on a disk with a volatile cache, in one machine after the other."""

import base64
import io
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from devicehub.clock import since_boot
from tests.programs import located
from tests.torture.appender import STATE
from tests.torture.judge import Said
from tests.vm.compiled import compile_for, script_of
from tests.vm.disk import Disk
from tests.vm.kernel import Kernel
from tests.vm.machine import Machine, MachineError, Task
from tests.vm.nbd import Served

DISK_MB: Final = 64
CHECKPOINT: Final = 40
"""Pages after which the log is moved into the file: several times before each cut."""
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes after the journal has told that many lines.

    `requests`: at once when negative, else when the disk has served so many writes and flushes more. `keep`: the chance
    that a sector is on the disk that was not flushed.
    """

    told: int
    requests: int
    keep: float

    @classmethod
    def any(cls, random: Random) -> "Cut":
        """Right after something was accepted, or in the middle of what the disk is asked for."""
        told, requests = random.choice((1, 100, 200, 400)), random.choice((-1, random.randrange(40)))
        return cls(told, requests, random.choice((0.0, 0.0, random.random(), 1.0)))


class Station:
    """Started and cut off again and again. `said`: what the journal said in all its lives."""

    def __init__(self, folder: Path) -> None:
        """`folder`: for its files. Raises `UnavailableError`."""
        self.said = Said()
        self._kernel = Kernel.found()
        self._folder = folder
        self._disk = _formatted(folder / "disk.img")
        self._compiled = compile_for(folder, "import tests.torture.appender")
        self._kvm = True

    def cut(self, cut: Cut, random: Random, *, sabotage: str = "") -> Mapping[str, bytes]:
        """Start, load, cut. What was on the disk when the machine started, by path. Raises `MachineError`."""
        settings = {"SABOTAGE": sabotage, "CHECKPOINT": CHECKPOINT}
        with Served(self._disk, self._folder / "disk") as served:
            script = script_of(self._kernel, self._compiled, "load.sh", **settings)
            task = Task(script, disk=served.path, processors=1, memory_mb=512)
            machine = Machine.boot(self._kernel, self._folder, task, kvm=self._kvm)
            self._kvm = machine.accelerator == "kvm"
            try:
                found = machine.hear(PATIENCE)
                self._load(machine, served, cut)
            finally:
                self._hear(machine.kill())
        self._disk.lose_power(random, cut.keep)
        return _unpacked(found or "")

    def found(self) -> Mapping[str, bytes]:
        """What is on the disk after all that. Raises `MachineError`."""
        return self.cut(Cut(0, -1, 1.0), Random(0))

    def _load(self, machine: Machine, served: Served, cut: Cut) -> None:
        end = since_boot() + PATIENCE
        for _ in range(cut.told):
            line = machine.hear(max(end - since_boot(), 0.0))
            if line is None:
                raise MachineError(f"nothing is accepted any more\n{machine.tail()}")
            self._hear([line])
        if cut.requests < 0:
            return
        served.freeze_after(cut.requests)
        while not served.frozen.is_set() and since_boot() < end:
            line = machine.hear(0.1)
            self._hear([] if line is None else [line])

    def _hear(self, lines: list[str]) -> None:
        self.said.hear("".join(f"{line}\n" for line in lines))


def _formatted(file: Path) -> Disk:
    with file.open("wb") as image:
        image.truncate(DISK_MB << 20)
    words = ["-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(file)]
    subprocess.run([str(located("mke2fs")), *words], check=True, stdin=subprocess.DEVNULL)
    disk = Disk(file.read_bytes())
    file.unlink()
    return disk


def _unpacked(line: str) -> dict[str, bytes]:
    """The files of the state, from an archive in Base64."""
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(line))) as archive:
        return {
            member.name.removeprefix("./"): data.read()
            for member in archive.getmembers()
            if member.name.startswith(f"./{STATE}/") and (data := archive.extractfile(member)) is not None
        }
