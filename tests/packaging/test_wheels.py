"""A wheel of every package that the lock has for a Python is in the bundle, and pip takes those of that Python alone.

Needs the registry of packages: `pytest -m fresh`. No Python but the one of the tests is run: pip judges the wheels by
their tags, as it does on a workstation.
"""

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.real.hub_process import ROOT

pytestmark = [pytest.mark.real, pytest.mark.fresh]

WHEELS = runpy.run_path(str(ROOT / "packaging" / "wheels.py"))
PYTHONS: tuple[str, ...] = WHEELS["PYTHONS"]
MACHINES: tuple[str, ...] = WHEELS["MACHINES"]
fetch: Callable[[Path, Iterable[str], str], None] = WHEELS["fetch"]
own: Callable[[Path], None] = WHEELS["own"]
meant_for: Callable[[str, str], list[str]] = WHEELS["meant_for"]
locked: Callable[[str, str, str], Iterable[str]] = WHEELS["locked"]


@dataclass(frozen=True)
class Wheels:
    """Those of a bundle for one kind of machine."""

    machine: str
    folder: Path


@pytest.fixture(scope="module", params=MACHINES)
def wheels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Skips, saying why, where the registry is not reached; a wheel that lacks is a failure."""
    where = tmp_path_factory.mktemp("wheels")
    asked = pip("download", "--no-deps", "--dest", str(tmp_path_factory.mktemp("asked")), "pip")
    if asked.returncode != 0:
        pytest.skip(f"the registry of packages is not reached: {asked.stderr[-400:]}")
    fetch(where, PYTHONS, request.param)
    own(where)
    return Wheels(request.param, where)


def pip(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--no-input", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def wanted(python: str, machine: str) -> dict[str, str]:
    """Name and version of what the lock has for this Python."""
    text = "\n".join(locked((ROOT / "requirements" / "station.txt").read_text(), python, machine))
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^(\S+?)==(\S+) --hash", text, re.MULTILINE)
    }


def taken(python: str, wheels: Wheels) -> dict[str, Any]:
    """What pip of such a Python would install from the folder alone: wheel by package."""
    words = ["--dry-run", "--ignore-installed", "--no-index", "--find-links", str(wheels.folder), "--report", "-"]
    words += ["--target", str(wheels.folder / "nowhere")]  # without it an older pip judges for itself alone
    done = pip("install", *words, *meant_for(python, wheels.machine), "devicehub[broker,page]")
    assert done.returncode == 0, done.stderr
    urls = [one["download_info"]["url"].rpartition("/")[2] for one in json.loads(done.stdout)["install"]]
    return {parse_wheel_filename(url)[0]: parse_wheel_filename(url) for url in urls}


@pytest.mark.parametrize("python", PYTHONS)
def test_a_bundle_has_a_wheel_of_every_locked_package_for_each_python(python: str, wheels: Wheels) -> None:
    there = {(name, str(version)) for name, version, _, _ in map(parse_wheel_filename, names(wheels.folder))}
    assert wanted(python, wheels.machine).items() <= there


@pytest.mark.parametrize("python", PYTHONS)
def test_pip_takes_the_locked_version_built_for_that_python_and_nothing_else(python: str, wheels: Wheels) -> None:
    found = taken(python, wheels)
    versions = {name: str(one[1]) for name, one in found.items() if name != "devicehub"}
    assert versions.items() <= wanted(python, wheels.machine).items()
    assert {"numpy", "pydantic-core", "msgspec", "uvicorn"} <= found.keys()
    here = int(python.partition(".")[2])
    for name, _, _, tags in found.values():
        abis = {tag.interpreter for tag in tags if tag.abi.startswith("cp")}
        assert abis <= {f"cp3{here}"}, f"{name} is built for another Python"


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*.whl")]
