"""The lock: everything pinned, everything hashed, and nothing in it about where packages come from."""

import re
import tomllib
from functools import cache

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

FOLDER = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
each_lock = pytest.mark.parametrize("name", ["run.txt", "station.txt", "test.txt"])
REMEDY = "run: sh packaging/lock.sh"


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _pins(name: str) -> list[Requirement]:
    logical = _text(name).replace("\\\n", " ")
    lines = (line.partition("#")[0].partition("--hash")[0].strip() for line in logical.splitlines())
    return [Requirement(line) for line in lines if line]


def _wanted(*extras: str) -> list[Requirement]:
    build = [line for line in (FOLDER / "build.in").read_text().splitlines() if line and not line.startswith("#")]
    return [Requirement(line) for line in [*PROJECT["dependencies"], *build, *(r for e in extras for r in EXTRAS[e])]]


def _uncovered(name: str, wanted: list[Requirement]) -> list[str]:
    pins = _pins(name)
    return [
        str(one)
        for one in wanted
        if not any(
            canonicalize_name(pin.name) == canonicalize_name(one.name)
            and one.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True)
            for pin in pins
        )
    ]


@each_lock
def test_it_names_no_package_host_and_sets_no_option(name: str) -> None:
    assert "http" not in _text(name)
    assert "file:" not in _text(name)
    assert "@" not in _text(name)
    assert [line for line in _text(name).splitlines() if line.startswith("-")] == []


@each_lock
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", _text(name), flags=re.MULTILINE))
    blocks = [block for block in blocks if block.strip()]
    assert len(blocks) == len(_pins(name))
    assert [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert [pin for pin in _pins(name) if not re.fullmatch(r"==[^*]+", str(pin.specifier))] == []


def test_what_a_workstation_needs_is_locked() -> None:
    assert _uncovered("run.txt", _wanted("broker")) == [], REMEDY


def test_a_workstation_without_network_has_the_same_and_builds_nothing() -> None:
    station, run = (
        {canonicalize_name(pin.name): str(pin) for pin in _pins(name)} for name in ("station.txt", "run.txt")
    )
    assert station.pop(canonicalize_name("pip")).startswith("pip==")
    assert station.items() <= run.items()
    assert run.keys() - station.keys() == {
        "hatchling",
        "editables",
        "packaging",
        "pathspec",
        "pluggy",
        "tomlkit",
        "trove-classifiers",
    }


def test_one_environment_serves_every_check() -> None:
    assert _uncovered("test.txt", _wanted(*EXTRAS)) == [], REMEDY


def test_a_dependency_that_is_not_locked_is_noticed() -> None:
    wanted = [Requirement("numpy>=2.0"), Requirement("numpy>=99"), Requirement("left-pad")]
    assert _uncovered("run.txt", wanted) == ["numpy>=99", "left-pad"]


def test_a_workstation_runs_what_was_tested() -> None:
    tested = {(canonicalize_name(pin.name), str(pin.specifier)) for pin in _pins("test.txt")}
    assert {(canonicalize_name(pin.name), str(pin.specifier)) for pin in _pins("run.txt")} <= tested
