"""Drivers of third parties are found by their entry points, beside those that are shipped."""

import importlib
from pathlib import Path

import pytest

from devicehub.model.errors import ConfigError
from devicehub.registry import driver_names, load_driver, load_simulator, simulator_names

DRIVER = """from devicehub.driver import Driver, SerialLink
from devicehub.model.device import Category, Channel
DRIVER = Driver(title="Theirs", category=Category.TRACE, link=SerialLink(), channels=(Channel(name="a", title="A"),))
SIMULATOR = object
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of somebody else's, installed."""
    (tmp_path / "theirs_of_acme.py").write_text(DRIVER)
    facts = tmp_path / "theirs_of_acme-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs-of-acme\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[devicehub.drivers]\ntrace.theirs = theirs_of_acme:DRIVER\n"
        "[devicehub.simulators]\ntrace.theirs = theirs_of_acme:SIMULATOR\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return "trace.theirs"


def test_an_installed_package_brings_its_driver_and_simulator(theirs: str) -> None:
    assert theirs in driver_names()
    assert theirs in simulator_names()
    assert (load_driver(theirs).name, load_driver(theirs).title) == (theirs, "Theirs")
    assert callable(load_simulator(theirs))


def test_without_it_the_name_is_unknown() -> None:
    with pytest.raises(ConfigError, match="unknown driver"):
        load_driver("trace.theirs")
