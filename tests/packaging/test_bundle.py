"""What a bundle is made of, and what its installer refuses. Installing itself: `test_fresh_debian.py`."""

import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.real.hub_process import ROOT

pytestmark = pytest.mark.real

PACKAGING = ROOT / "packaging"
LOCK = (ROOT / "requirements" / "station.txt").read_text()
locked = runpy.run_path(str(PACKAGING / "wheels.py"))["locked"]


def names(python: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+?)==(\S+) --hash", "\n".join(locked(LOCK, python, "x86_64")), re.MULTILINE))


def test_each_python_is_given_the_packages_that_the_lock_has_for_it_on_linux() -> None:
    lock = """
one==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:00
one==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:11
two==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:22
"""
    assert list(locked(lock, "3.11", "x86_64")) == ["one==1.0 --hash=sha256:00"]
    assert list(locked(lock, "3.13", "x86_64")) == ["one==2.0 --hash=sha256:11"]
    old = names("3.11")
    assert {"pydantic", "msgspec", "uvicorn", "pyudev", "pip"} <= old.keys()
    assert not {name for name in old if name.startswith(("winrt", "pyobjc", "colorama", "pytest", "hatchling"))}


def test_every_package_is_taken_by_its_hash() -> None:
    lines = list(locked(LOCK, "3.12", "aarch64"))
    assert [line for line in lines if not re.search(r"==\S+ --hash=sha256:[0-9a-f]{64}", line)] == []


def wheel(folder: Path, name: str, version: str, tag: str, *lines: str) -> None:
    with ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        head = [f"Name: {name}", f"Version: {version}", *lines]
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA", "Metadata-Version: 2.4\n" + "\n".join(head) + "\n\nText"
        )


def test_the_bill_of_materials_names_every_package_its_licence_and_the_sum_of_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "devicehub", "1.2", "py3-none-any", "License-Expression: Apache-2.0")
    wheel(folder, "numpy", "2.4", "cp311-cp311-any", "Classifier: License :: OSI Approved :: BSD License")
    wheel(folder, "numpy", "2.4", "cp312-cp312-any", "Classifier: License :: OSI Approved :: BSD License")
    wheel(folder, "numpy", "2.5", "cp313-cp313-any", "License: BSD-3-Clause")
    command = [sys.executable, str(PACKAGING / "sbom.py"), str(tmp_path)]
    said = subprocess.run(command, capture_output=True, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": "0"}).stdout
    told = json.loads(said)
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    own, (first, second) = told["metadata"]["component"], told["components"]
    assert own["licenses"] == [{"expression": "Apache-2.0"}]
    assert [(one["purl"], one["licenses"][0]["license"]["name"]) for one in (first, second)] == [
        ("pkg:pypi/numpy@2.4", "BSD License"),
        ("pkg:pypi/numpy@2.5", "BSD-3-Clause"),
    ]
    sums = {part["name"]: part["hashes"][0]["content"] for one in (own, first, second) for part in one["components"]}
    assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def bundle(folder: Path) -> Path:
    """One without wheels: what is installed from it is refused before they are looked for."""
    folder.mkdir()
    files = {"install.sh": (PACKAGING / "bundle" / "install.sh").read_bytes(), "VERSION": b"1.2\n", "PYTHONS": b"2.7\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sums = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def install(folder: Path, *words: str) -> tuple[int, str]:
    command = ["sh", str(folder / "install.sh"), "--prefix", str(folder.parent / "prefix"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not list((folder.parent / "prefix").iterdir())
    return done.returncode, done.stderr


def test_a_file_that_was_changed_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "bundle")
    (folder / "VERSION").write_text("1.3\n")
    code, said = install(folder)
    assert code == 65
    assert "VERSION" in said
    assert "nothing was installed" in said


def test_a_file_that_no_sum_covers_is_refused(tmp_path: Path) -> None:
    folder = bundle(tmp_path / "bundle")
    (folder / "added.whl").write_text("")
    assert install(folder)[0] == 65


def test_without_a_python_that_it_has_wheels_for_nothing_is_installed(tmp_path: Path) -> None:
    code, said = install(bundle(tmp_path / "bundle"))
    assert code == 69
    assert "2.7" in said


def test_without_a_version_before_there_is_no_way_back(tmp_path: Path) -> None:
    assert install(bundle(tmp_path / "bundle"), "--roll-back")[0] == 66
