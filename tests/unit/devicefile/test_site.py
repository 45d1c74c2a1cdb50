"""A site's own device file: found through the configuration, driver and simulator of a running device."""

from pathlib import Path

import pytest

from devicehub.config import load_config
from devicehub.model.errors import ConfigError
from devicehub.registry import driver_names, load_driver, simulator_of
from tests.unit.devicefile.files import SMALL, write

HUB = """\
[hub]
site = "s"
node = "n"
exercise = true
device_files = "devices"
[[device]]
id = "probe-1"
driver = "trace.probe"
port = "sim:"
"""


def site(folder: Path, name: str = "trace/probe", text: str = SMALL) -> Path:
    write(folder / "devices", text, name)
    path = folder / "hub.toml"
    path.write_text(HUB)
    return path


def test_it_is_a_driver_with_a_simulator(tmp_path: Path) -> None:
    config = load_config(site(tmp_path))
    folder = config.hub.device_files
    assert "trace.probe" in driver_names(folder)
    assert "trace.probe" not in driver_names()
    driver = load_driver("trace.probe", folder)
    assert driver.evidence == "untested"
    assert callable(simulator_of(driver))


def test_its_mistakes_are_told_when_the_configuration_is_checked(tmp_path: Path) -> None:
    path = site(tmp_path, text=SMALL.replace("level = 50", "level = 51"))
    with pytest.raises(ConfigError, match=r"probe.toml:28:3  vector\[0\]: level = 50, not 51"):
        load_config(path)


def test_it_may_not_have_the_name_of_another_driver(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is a driver radiation\.gq_gmc already"):
        load_config(site(tmp_path, "radiation/gq_gmc"))
