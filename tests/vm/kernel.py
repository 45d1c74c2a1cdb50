"""A distribution's kernel package, unpacked and not installed, made into what a machine starts from.

`packaging/kernel.sh` unpacks it. Its `vmlinuz` (Linux `Documentation/arch/x86/boot.rst`) carries an ELF file that
the machine can start directly, which saves the emulated processor the unpacking. The initial file system is a
`newc` archive (Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
"""

import lzma
import os
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.programs import located

ROOT = Path(__file__).parents[2]
WITHOUT = "packaging/test.sh installs it"
PROGRAMS = ("qemu-system-x86_64", "busybox", "modprobe", "udevadm", "mke2fs")
EARLY = ("virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay")
_FOLDER, _FILE = 0o040755, 0o100755


class UnavailableError(Exception):
    """No machine can be had here; the text says what is missing."""


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel package."""

    folder: Path

    @classmethod
    def found(cls) -> "Kernel":
        """That of `DEVICEHUB_KERNEL`, else of `.vm/kernel`. Raises `UnavailableError`."""
        for program in PROGRAMS:
            if located(program) is None:
                raise UnavailableError(f"no {program}: {WITHOUT}")
        kernel = cls(Path(os.environ.get("DEVICEHUB_KERNEL", ROOT / ".vm" / "kernel")))
        if not list(kernel.folder.glob("lib/modules/*/modules.dep")):
            raise UnavailableError(f"no kernel package in {kernel.folder}: {WITHOUT}")
        return kernel

    @property
    def version(self) -> str:
        return next(self.folder.glob("lib/modules/*/modules.dep")).parent.name

    def image(self, folder: Path) -> Path:
        """The kernel to start, in `folder`, where it may be already."""
        bare = folder / "vmlinux"
        if not bare.exists():
            bare.write_bytes(without_wrapping((self.folder / "boot" / f"vmlinuz-{self.version}").read_bytes()))
        return bare

    def early_modules(self) -> list[Path]:
        """What must be loaded before there is a root, in order."""
        out: dict[Path, None] = {}
        for name in EARLY:
            command = [str(located("modprobe")), "-d", str(self.folder), "-S", self.version, "--show-depends", name]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            out |= {Path(line.split()[1]): None for line in said.splitlines() if line.startswith("insmod")}
        return list(out)


def without_wrapping(image: bytes) -> bytes:
    """The ELF file in a `vmlinuz` whose payload is packed with xz; what is packed otherwise starts as it is."""
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[(sectors + 1) * 512 + offset :][:length]
    if not payload.startswith(b"\xfd7zXZ\0"):
        return image
    return lzma.LZMADecompressor().decompress(payload)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A `newc` archive of executable files and the folders above them."""
    folders = sorted({str(above) for name in files for above in Path(name).parents if str(above) != "."})
    entries = [(name, _FOLDER, b"") for name in folders]
    entries += [(name, _FILE, data) for name, data in files.items()]
    entries.append(("TRAILER!!!", 0, b""))
    return b"".join(_entry(number, *entry) for number, entry in enumerate(entries, 1))


def _entry(number: int, name: str, mode: int, data: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
