"""Builds what a workstation without network is installed from: wheels, sums, bill of materials, installer.

python packaging/bundle.py dist                     # dist/devicehub-VERSION-linux-MACHINE.tar.gz and the folder
python packaging/bundle.py dist --python 3.11       # for one Python alone
python packaging/bundle.py dist --wheels FOLDER     # packages that are there already; hashes are checked all the same
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from sbom import sbom
from wheels import MACHINES, PYTHONS, ROOT, epoch, fetch, own

# Installed beside the wheels, and documents with what they show: laid out as here, so that their links lead somewhere.
DOCUMENTS = (
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/**/*", "config/**/*.*",
    "benchmarks/*.md", "drivers/*/*.toml", "packaging/60-devicehub.rules", "packaging/system/devicehub.service",
)  # fmt: skip
COMPLETION = "completion.bash"


def build(out: Path, pythons: list[str], machine: str, wheels: Path | None) -> Path:
    """The folder; its archive lies beside it. An older one of the same name is replaced.

    Raises `subprocess.CalledProcessError` after pip has said why.
    """
    kept = out / "wheels.part"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    fetch(kept, pythons, machine, wheels)
    own(kept)
    (name,) = [file.name.split("-")[1] for file in kept.glob("devicehub-*.whl")]
    folder = out / f"devicehub-{name}-linux-{machine}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kept.rename(folder / "wheels")
    shutil.copy(ROOT / "packaging" / "bundle" / "install.sh", folder)
    _documents(folder)
    (folder / COMPLETION).write_text(_completion())
    (folder / "VERSION").write_text(f"{name}\n")
    (folder / "PYTHONS").write_text("".join(f"{python}\n" for python in pythons))
    (folder / "sbom.json").write_text(json.dumps(sbom(folder), indent=1) + "\n")
    (folder / "SHA256SUMS").write_text(_sums(folder))
    _archive(folder, out / f"{folder.name}.tar.gz")
    return folder


def _documents(folder: Path) -> None:
    for file in (file for pattern in DOCUMENTS for file in ROOT.glob(pattern)):
        if file.is_file() and file.suffix not in {".py", ".pyc"}:
            target = folder / file.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def _completion() -> str:
    """What completes the commands of this source in bash."""
    command = [sys.executable, "-m", "devicehub", "completion", "bash"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def _sums(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files)


def _archive(folder: Path, target: Path) -> None:
    """Names in order, one date, nobody's user: the same bytes for the same files."""

    def plain(one: tarfile.TarInfo) -> tarfile.TarInfo:
        one.uid = one.gid = 0
        one.uname = one.gname = "root"
        one.mtime = int(epoch())
        one.mode = 0o755 if one.isdir() or one.name.endswith(".sh") else 0o644
        return one

    # Wheels are compressed already.
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=int(epoch())) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for file in [folder, *sorted(folder.rglob("*"))]:
            archive.add(file, file.relative_to(folder.parent), recursive=False, filter=plain)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Builds the offline bundle.")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--python", nargs="+", choices=PYTHONS, default=[*PYTHONS])
    parser.add_argument("--machine", choices=MACHINES, default=platform.machine())
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="take packages from there, not from the network")
    given = parser.parse_args()
    print(build(given.out, given.python, given.machine, given.wheels))


if __name__ == "__main__":
    _main()
