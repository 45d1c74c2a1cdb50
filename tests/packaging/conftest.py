"""Fixtures of the tests on a fresh Debian. What takes long is made once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import devicehub
from tests.architecture.tree import tracked
from tests.packaging.debian import Machine, built, fresh, machine, scratch
from tests.real.hub_process import ROOT

FORMER = "0.0.9"


@dataclass(frozen=True)
class Built:
    """What a release consists of."""

    bundle: Path
    package: Path


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
    """Of this source under an older number, from the same packages."""
    with scratch() as folder:
        source = folder / "source"
        for file in tracked():
            (source / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, source / file.relative_to(ROOT))
        version = source / "devicehub" / "__init__.py"
        version.write_text(version.read_text().replace(devicehub.__version__, FORMER))
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
