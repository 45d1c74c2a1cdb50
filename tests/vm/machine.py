"""A machine in pure emulation (or with KVM, where that works) over the host's root, without a network.

It says lines over a virtio serial port: whatever its task writes to `/dev/vport*p1`, the first of them `up`.
"""

import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devicehub.clock import since_boot
from tests.programs import located
from tests.vm.kernel import Kernel, archive

INIT = Path(__file__).with_name("init.sh")
KVM_PATIENCE = 10.0
PATIENCE = 120.0


@dataclass(frozen=True)
class Task:
    """What a machine is for: its shell script, what is asked of it (a file), what it is made of.

    `disk`: the socket of an NBD server, whose disk is then /dev/vda.
    """

    script: str
    asked: str = ""
    disk: Path | None = None
    processors: int = 2
    memory_mb: int = 2048


class MachineError(Exception):
    """A machine did not start, or said nothing any more."""


class Machine:
    """A running machine. Get one with `boot`; `console` is the file with what its kernel and its task said."""

    def __init__(self, command: list[str], folder: Path, accelerator: str) -> None:
        self.console = folder / f"console-{accelerator}.log"
        self.accelerator = accelerator
        self._ours, theirs = socket.socketpair()
        self._unread = b""
        with (folder / "qemu.log").open("ab") as log, theirs:
            self._process = subprocess.Popen(
                [
                    *command,
                    *("-accel", f"{accelerator},thread=multi" if accelerator == "tcg" else accelerator),
                    *("-cpu", "Nehalem" if accelerator == "tcg" else "host"),
                    *("-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console"),
                    *("-chardev", f"socket,id=said,fd={theirs.fileno()}"),
                    *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=said,name=said"),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @classmethod
    def boot(cls, kernel: Kernel, folder: Path, task: Task, *, kvm: bool = True) -> Self:
        """Start it and wait until it is up. `folder`: for its files; `kvm`: try it. Raises `MachineError`."""
        command = _command(kernel, folder, task)
        # KVM may be there and yet hang or refuse, which only trying tells.
        if kvm and os.access("/dev/kvm", os.R_OK | os.W_OK):
            machine = cls(command, folder, "kvm")
            if machine.hear(KVM_PATIENCE) == "up":
                return machine
            machine.kill()
        machine = cls(command, folder, "tcg")
        if machine.hear(PATIENCE) != "up":
            machine.kill()
            raise MachineError(f"the machine did not start: {(folder / 'qemu.log').read_text()}\n{machine.tail()}")
        return machine

    def hear(self, seconds: float) -> str | None:
        """Its next line; None when it has ended or said nothing for so long."""
        end = since_boot() + seconds
        while b"\n" not in self._unread:
            self._ours.settimeout(max(end - since_boot(), 0.01))
            try:
                piece = self._ours.recv(65536)
            except (TimeoutError, ConnectionResetError):
                return None
            if not piece:
                return None
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def tail(self, lines: int = 60) -> str:
        """The end of its console."""
        if not self.console.exists():
            return ""
        return "\n".join(self.console.read_text("utf-8", "replace").splitlines()[-lines:])

    def ended(self, seconds: float) -> bool:
        """Whether it ends by itself in that time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._ours.close()
        return True

    def kill(self) -> list[str]:
        """Cut its power. What it had said in whole lines, and nobody heard yet."""
        self._process.kill()
        self._process.wait()
        lines = []
        while (line := self.hear(0.0)) is not None:
            lines.append(line)
        self._ours.close()
        return lines


def _command(kernel: Kernel, folder: Path, task: Task) -> list[str]:
    initial = folder / "initrd"
    initial.write_bytes(archive(_early_files(kernel, task)))
    return [
        *(str(located("qemu-system-x86_64")), "-machine", "q35", "-smp", str(task.processors)),
        *("-m", str(task.memory_mb)),
        *("-nodefaults", "-display", "none", "-no-reboot", "-nic", "none"),
        *("-kernel", str(kernel.image(folder)), "-initrd", str(initial)),
        # A busy host makes an emulated timer look broken to the kernel that checks it.
        *("-append", "console=ttyS0 panic=-1 quiet mitigations=off no_timer_check random.trust_cpu=on"),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
        *(() if task.disk is None else _disk(task.disk)),
    ]


def _disk(server: Path) -> tuple[str, ...]:
    place = f"driver=nbd,node-name=disk,server.type=unix,server.path={server}"
    return ("-blockdev", place, "-device", "virtio-blk-pci,drive=disk")


def _early_files(kernel: Kernel, task: Task) -> Mapping[str, bytes]:
    files = {
        "init": INIT.read_bytes(),
        "bin/busybox": Path(str(located("busybox"))).read_bytes(),
        "task.sh": task.script.encode(),
        "asked": task.asked.encode(),
    }
    for number, module in enumerate(kernel.early_modules()):
        files[f"modules/{number:02}-{module.name}"] = module.read_bytes()
    return files
