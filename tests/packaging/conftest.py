"""Fixtures of the tests on a fresh Debian. What takes long is made once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import devicehub
from devicehub.config.migrate import FORMAT
from tests.architecture.tree import tracked
from tests.packaging.debian import Machine, built, fresh, machine, scratch
from tests.real.hub_process import ROOT

FORMER = "0.0.9"
# Files, what they say, and what they said: format 0 of the configuration has no line for it.
OLDER = (
    ("devicehub/__init__.py", devicehub.__version__, FORMER),
    ("devicehub/config/migrate.py", f"FORMAT: Final = {FORMAT}", f"FORMAT: Final = {FORMAT - 1}"),
    (
        "devicehub/config/models.py",
        f"schema_version: Literal[{FORMAT}] = Field(default={FORMAT}",
        f"schema_version: Literal[{FORMAT - 1}] = Field(default={FORMAT - 1}",
    ),
    ("config/devicehub.toml", f"# Version of this file's format.\nschema_version = {FORMAT}\n\n", ""),
)


@dataclass(frozen=True)
class Built:
    """What a release consists of."""

    bundle: Path
    package: Path


def copy(folder: Path) -> None:
    """This source as a clone has it."""
    for file in tracked():
        (folder / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / file.relative_to(ROOT))


@pytest.fixture(scope="session")
def debian() -> Iterator[Path]:
    with fresh() as root:
        yield root


@pytest.fixture(scope="session")
def release(debian: Path) -> Iterator[Built]:
    """Of this source. Made after the fresh Debian: where there is none, nothing is downloaded."""
    with scratch() as folder:
        yield Built(*built(folder))


@pytest.fixture(scope="session")
def former(release: Built) -> Iterator[Built]:
    """Of this source under an older number, with an older format of the configuration, from the same packages."""
    with scratch() as folder:
        source = folder / "source"
        copy(source)
        for name, new, old in OLDER:
            text = (source / name).read_text()
            assert text.count(new) >= 1, f"{name} says {new} no more"
            (source / name).write_text(text.replace(new, old))
        yield Built(*built(folder, source, release.bundle / "wheels"))


@pytest.fixture
def computer(debian: Path) -> Iterator[Machine]:
    """Fresh, and nobody else's."""
    with machine(debian) as one:
        sudo = one.folder / "upper" / "usr" / "local" / "bin" / "sudo"
        sudo.parent.mkdir(parents=True)
        sudo.write_text('#!/bin/sh\nexec "$@"\n')
        sudo.chmod(0o755)
        yield one
