"""The packages of a workstation without network: those of `requirements/station.txt` and devicehub itself, as wheels.

Downloads are checked against the hashes of the lock; nothing is built but devicehub, which is pure Python.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "station.txt"
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
# Oldest C library of a wheel's name that is taken: 2.28 is older than Debian 12's and Ubuntu 22.04's.
_TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_24", "manylinux_2_17", "manylinux2014")


def epoch() -> str:
    """Second that files are dated with: SOURCE_DATE_EPOCH, else the newest commit's, so that two builds are one."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "315532800"


def locked(lock: str, python: str, machine: str) -> Iterator[str]:
    """Those lines of a lock that hold for Linux on this kind of machine, with their hashes and without conditions."""
    there = {
        "python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "os_name": "posix",
        "platform_system": "Linux", "platform_machine": machine, "implementation_name": "cpython",
        "platform_python_implementation": "CPython", "extra": "",
    }  # fmt: skip
    for line in lock.replace("\\\n", " ").splitlines():
        text, _, hashes = line.partition("#")[0].partition("--hash")
        if not text.strip():
            continue
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate(there):
            yield f"{one.name}{one.specifier} --hash{' '.join(hashes.split())}"


def fetch(into: Path, pythons: Iterable[str], machine: str, wheels: Path | None = None) -> None:
    """Put the locked packages into a folder. From `wheels`, where that is given, and not from the network.

    Raises `subprocess.CalledProcessError` after pip has said why.
    """
    source = [] if wheels is None else ["--no-index", "--find-links", str(wheels)]
    for python in pythons:
        with TemporaryDirectory() as folder:
            lines = Path(folder) / "station.txt"
            lines.write_text("".join(f"{line}\n" for line in locked(LOCK.read_text(), python, machine)))
            pip(
                "download", "--no-deps", "--require-hashes", "--dest", str(into),
                *meant_for(python, machine), *source, "--requirement", str(lines),
            )  # fmt: skip


def meant_for(python: str, machine: str) -> list[str]:
    """Words that make pip choose wheels for another Python and machine than its own."""
    platforms = [word for tag in _TAGS for word in ("--platform", f"{tag}_{machine}")]
    abis = [word for abi in (f"cp{python.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    return ["--only-binary=:all:", "--python-version", python, "--implementation", "cp", *abis, *platforms]


def own(into: Path) -> None:
    """Put devicehub's own wheel into a folder, the same bytes for the same source."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(into), str(ROOT))


def pip(*words: str) -> None:
    """Run pip; it says on standard error what is wrong, and what pip itself was told about sources holds."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch(), "PYTHONWARNINGS": ""}
    command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", *words]
    subprocess.run(command, check=True, env=environment)
