"""A fresh Debian in a folder, without network: what is installed there is installed on nothing but Debian itself.

`Fresh` is made once by debootstrap. Each `Machine` sees it through an overlay, so that it begins fresh and costs
nothing; it either runs single programs (chroot), or boots its own systemd (systemd-nspawn) and runs a script there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.memory import in_memory
from tests.programs import SOUGHT, needed
from tests.real.hub_process import ROOT

SUITE = os.environ.get("DEVICEHUB_SUITE", "bookworm")
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}[SUITE]
PACKAGES = "systemd,udev,dbus,python3,mosquitto,libusb-1.0-0,adduser"
INSIDE = Path(__file__).parent / "inside"
PATIENCE = 300.0
ROOM = 4 * 2**30  # hundreds of megabytes each, in memory: dpkg waits for the disk after each file
_CHROOT = """
set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
mount -t tmpfs tmpfs "$2/root/run"
ip link set lo up
folder=$2
shift 2
exec chroot "$folder/root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv LANG=C.UTF-8 "$@"
"""
_BOOT = """
set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
exec systemd-nspawn --register=no --keep-unit --quiet --private-network --console=pipe --boot \\
    --capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN --system-call-filter="bpf @clock" --directory="$2/root" -- systemd.unit=told.service
"""
_TOLD = """\
[Unit]
Requires=multi-user.target
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=/bin/sh /srv/inside/{script}
StandardOutput=file:/srv/said
StandardError=file:/srv/said
"""


@dataclass(frozen=True)
class Machine:
    """One computer. `folder` has what differs from the fresh one in `upper/`."""

    fresh: Path
    folder: Path

    def put(self, file: Path, into: str) -> None:
        """A file or folder from outside, before it is started or while it is off."""
        target = self.folder / "upper" / into.lstrip("/") / (file.name if into.endswith("/") else "")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(file, target) if file.is_dir() else shutil.copy(file, target)

    def run(self, *words: str) -> str:
        """What a program says there, both streams. It has to end well."""
        done = self._alone(_CHROOT, *words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def fails(self, *words: str) -> str:
        """What a program says there that ends badly."""
        done = self._alone(_CHROOT, *words)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def boot(self, script: str) -> str:
        """What a script of `inside/` says there, with systemd as first process; then the machine is switched off.

        Skips, saying why, where this computer has all that is installed for it and cannot boot one.
        """
        needed("systemd-nspawn")
        unit = self.folder / "upper/etc/systemd/system/told.service"
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.write_text(_TOLD.format(script=script))
        self.put(INSIDE, "/srv/inside")
        done = self._alone(_BOOT)
        said = self.folder / "upper/srv/said"
        if not said.exists():
            pytest.skip(f"systemd-nspawn cannot boot a machine here: {done.stdout.strip() or done.returncode}")
        return said.read_text(errors="replace")

    def _alone(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """In name spaces of its own: without network, and all that it started and mounted ends with it."""
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", script, "sh"]
        return subprocess.run(
            [*command, str(self.fresh), str(self.folder), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE, check=False, env=_environment() | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip


def _environment() -> dict[str, str]:
    """Where programs of the system are found as `needed` finds them."""
    return os.environ | {"PATH": f"{os.environ.get('PATH', '')}:{SOUGHT}"}


@contextmanager
def fresh() -> Iterator[Path]:
    """Its root folder. Skips, saying why, where it cannot be made: not by root, or without its registry."""
    if os.geteuid() != 0:
        pytest.skip("a fresh Debian is made by root alone")
    for program in ("debootstrap", "unshare", "ip", "dpkg-deb"):
        needed(program)
    with in_memory(ROOM) as folder:
        root = folder / "root"
        words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)]
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=_environment()
        )
        if done.returncode != 0:
            pytest.skip(f"debootstrap cannot make a fresh Debian here, is its registry reached? {done.stdout[-400:]}")
        yield root


@contextmanager
def machine(root: Path) -> Iterator[Machine]:
    """One that is as fresh as `root`."""
    with in_memory(ROOM) as folder:
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        yield Machine(root, folder)


def built(out: Path, source: Path = ROOT, wheels: Path | None = None) -> tuple[Path, Path]:
    """Bundle and Debian package of a source tree for the Python of `SUITE`. Skips where packages cannot be had."""
    took = [] if wheels is None else ["--wheels", str(wheels)]
    bundle = _packaged(source, "bundle.py", str(out), "--python", PYTHON, *took)
    return bundle, _packaged(source, "deb.py", str(bundle), str(out), "--compression", "none", "--python", PYTHON)


def _packaged(source: Path, script: str, *words: str) -> Path:
    command = [sys.executable, str(source / "packaging" / script), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "pip" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip(f"the packages cannot be had, is their registry reached? {done.stderr[-400:]}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())
