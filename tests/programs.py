"""Programs and packages that tests use and a machine may lack: those that `packaging/test.sh` sees to.

Where `CI` is set in the environment one that is missing is a failure, since nothing may be left untried in silence there.
Anywhere else the test is skipped.
"""

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest

SOUGHT = "/usr/sbin:/sbin:/usr/local/sbin"


def located(program: str) -> str | None:
    """Its path, also in the folders of the system's programs, which are not on everybody's PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{SOUGHT}")


def needed(*names: str) -> str:
    """The path of the first of these that is installed, which are each as good."""
    found = next(filter(None, map(located, names)), None)
    if found is None:
        lacking(f"{' or '.join(names)} is not installed")
    return found


def needed_package(name: str) -> None:
    """A package of the environment of the tests."""
    if find_spec(name) is None:
        lacking(f"{name} is not in this environment: it is in requirements/test.txt, where it has a wheel")


def lacking(what: str) -> NoReturn:
    """What a machine lacks ends the test."""
    if "CI" in os.environ:
        pytest.fail(f"{what}, and this is CI", pytrace=False)
    pytest.skip(what)
