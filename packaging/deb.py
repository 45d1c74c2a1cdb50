"""Builds a Debian package with an environment of its own from an offline bundle, so both have the same files inside.

    python packaging/bundle.py dist
    python packaging/deb.py dist/devicehub-VERSION-linux-MACHINE dist      # Python 3.11, which is Debian 12's
    python packaging/deb.py --python 3.13 BUNDLE dist                      # Debian 13

Needs dpkg-deb. The same bundle, SOURCE_DATE_EPOCH and pip give the same package, byte for byte.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bundle import COMPLETION, DOCUMENTS
from wheels import LOCK, PYTHONS, ROOT, epoch, locked, meant_for, pip

PACKAGING = ROOT / "packaging"
HOME = "usr/lib/devicehub"
DOCUMENTED = "usr/share/doc/devicehub"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SCRIPTS = ("postinst", "prerm", "postrm")
_LAUNCHER = f"""#!/{HOME}/bin/python -I
import sys
from devicehub.cli.main import main
sys.exit(main())
"""


def build(bundle: Path, out: Path, python: str, compression: str) -> Path:
    """The package. Raises `subprocess.CalledProcessError` after pip, sha256sum or dpkg-deb has said why."""
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], check=True, cwd=bundle)
    version, machine = (bundle / "VERSION").read_text().strip(), bundle.name.rpartition("-")[2]
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"devicehub_{version}_{ARCHITECTURES[machine]}.deb"
    with TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _environment(bundle, tree, python, machine)
        _files(bundle, tree)
        _control(tree, version, ARCHITECTURES[machine], python)
        _settle(tree)
        command = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build", str(tree), str(target)]
        subprocess.run(command, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": epoch()}, stdout=subprocess.DEVNULL)
    return target


def _environment(bundle: Path, tree: Path, python: str, machine: str) -> None:
    """What `python -m venv` would make on the workstation, with the packages in it."""
    site = tree / HOME / "lib" / f"python{python}" / "site-packages"
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "station.txt"
        lines.write_text("".join(f"{line}\n" for line in _requirements(bundle, python, machine)))
        pip(
            "install", "--target", str(site), "--no-index", "--find-links", str(bundle / "wheels"), "--no-deps",
            "--no-compile", "--require-hashes", *meant_for(python, machine), "--requirement", str(lines),
        )  # fmt: skip
    shutil.rmtree(site / "bin", ignore_errors=True)
    home = tree / HOME
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to(f"/usr/bin/python{python}")
    (home / "bin" / "devicehub").write_text(_LAUNCHER)
    (home / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n")
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/devicehub").symlink_to("../lib/devicehub/bin/devicehub")


def _requirements(bundle: Path, python: str, machine: str) -> Iterator[str]:
    yield from (line for line in locked(LOCK.read_text(), python, machine) if not line.startswith("pip=="))
    (own,) = (bundle / "wheels").glob("devicehub-*.whl")
    version = (bundle / "VERSION").read_text().strip()
    yield f"devicehub=={version} --hash=sha256:{hashlib.sha256(own.read_bytes()).hexdigest()}"


def _files(bundle: Path, tree: Path) -> None:
    for name, folder in (
        ("packaging/system/devicehub.service", "usr/lib/systemd/system"),
        ("packaging/60-devicehub.rules", "usr/lib/udev/rules.d"),
        ("config/devicehub.toml", "usr/share/devicehub"),
        ("sbom.json", DOCUMENTED),
    ):
        _laid(bundle / name, tree / folder / Path(name).name)
    for file in (file for pattern in DOCUMENTS for file in bundle.glob(pattern) if file.is_file()):
        _laid(file, tree / DOCUMENTED / file.relative_to(bundle))
    _laid(bundle / "LICENSE", tree / DOCUMENTED / "copyright")
    _laid(bundle / COMPLETION, tree / "usr/share/bash-completion/completions/devicehub")
    _packed(bundle / "CHANGELOG.md", tree / DOCUMENTED / "changelog.gz")
    _packed(bundle / "docs/man/devicehub.1", tree / "usr/share/man/man1/devicehub.1.gz")


def _laid(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _packed(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(file.read_bytes(), 9, mtime=int(epoch())))


def _control(tree: Path, version: str, architecture: str, python: str) -> None:
    size = sum(file.lstat().st_size for file in tree.rglob("*") if file.is_file()) // 1024
    (tree / "DEBIAN").mkdir()
    text = (PACKAGING / "deb" / "control").read_text()
    for name, value in {"VERSION": version, "ARCHITECTURE": architecture, "PYTHON": python, "SIZE": size}.items():
        text = text.replace(f"@{name}@", str(value))
    (tree / "DEBIAN" / "control").write_text(text)
    for name in _SCRIPTS:
        shutil.copyfile(PACKAGING / "deb" / name, tree / "DEBIAN" / name)


def _settle(tree: Path) -> None:
    """Modes that do not depend on who builds, and one date."""
    programs = {tree / HOME / "bin" / "devicehub", *(tree / "DEBIAN" / name for name in _SCRIPTS)}
    for file in [tree, *tree.rglob("*")]:
        if not file.is_symlink():
            file.chmod(0o755 if file.is_dir() or file in programs else 0o644)
        os.utime(file, (int(epoch()), int(epoch())), follow_symlinks=False)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Builds the Debian package.")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--python", choices=PYTHONS, default=PYTHONS[0])
    parser.add_argument("--compression", choices=("xz", "gzip", "none"), default="xz")
    given = parser.parse_args()
    print(build(given.bundle, given.out, given.python, given.compression))


if __name__ == "__main__":
    _main()
