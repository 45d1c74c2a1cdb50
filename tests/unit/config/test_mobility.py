"""Substance libraries as devices name them: read once, refused with their place, and never one for training in earnest."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.mobility import mobility_rules
from devicehub.config.resources import shipped
from devicehub.config.substances import shipped_library
from devicehub.core.mobility import MobilityRules
from devicehub.model.alarm import Priority
from tests.unit.config.test_substances import SMALL

HUB = """[hub]
site = "s"
node = "n"
exercise = {exercise}
"""
DEVICE = """[[device]]
id = "{name}"
driver = "{driver}"
port = "{port}"
enabled = {enabled}
mobility = {{ {mobility} }}
"""


def device(mobility: str, *, name: str = "trace-1", driver: str = "trace.ims_reference", enabled: str = "true") -> str:
    port = "sim:" if driver.startswith("trace") else "/dev/ttyUSB0"
    return DEVICE.format(name=name, mobility=mobility, driver=driver, port=port, enabled=enabled)


def write(folder: Path, *devices: str, exercise: str = "true") -> Path:
    path = folder / "hub.toml"
    path.write_text(HUB.format(exercise=exercise) + "".join(devices))
    return path


def rules(path: Path) -> dict[str, MobilityRules]:
    return mobility_rules(load_config(path))


def told(path: Path, *, present: bool = False) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        mobility_rules(load_config(path, present=present))
    return [str(one).replace(f"{path.parent}/", "") for one in caught.value.problems]


def test_a_device_is_judged_by_the_library_that_it_names_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SMALL)
    mobility = 'library = "site.toml", modes = ["negative"], single = true, priority = "critical"'
    (one,) = rules(write(tmp_path, device(mobility))).values()
    assert (one.library.name, one.modes, one.single, one.priority) == ("small", ("negative",), True, Priority.CRITICAL)


def test_nothing_more_is_said_for_all_of_a_library(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SMALL)
    (one,) = rules(write(tmp_path, device('library = "site.toml"'))).values()
    assert (one.modes, one.single, one.priority) == (None, False, Priority.HIGH)


def test_the_demonstration_is_judged_by_the_values_for_training() -> None:
    found = mobility_rules(load_config(shipped("demo.toml")))
    assert {name: one.library.digest for name, one in found.items()} == {"trace-1": shipped_library().digest}


def test_values_for_training_are_refused_outside_of_an_exercise(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SMALL.replace('status = "site"', 'status = "training"'))
    mobility = device('library = "site.toml"').replace("sim:", "/dev/ttyUSB0")
    text = 'site.toml:1:1  status = "training": device trace-1 may use it only with hub.exercise = true'
    assert told(write(tmp_path, mobility, exercise="false")) == [text]
    (tmp_path / "site.toml").write_text(SMALL)
    assert list(rules(write(tmp_path, mobility, exercise="false"))) == ["trace-1"]


def test_every_mistake_of_every_library_is_told_once_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SMALL.replace("snr = 6.0", "snr = 1.0"))
    devices = [device('library = "site.toml"', name=f"trace-{number}") for number in range(2)]
    (problem,) = told(write(tmp_path, *devices))
    assert problem.startswith("site.toml:9:1  signal.snr")


def test_a_mode_that_the_library_has_not_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SMALL)
    mobility = 'library = "site.toml", modes = ["positive"]'
    text = "site.toml:1:1  has no [[mode]] positive, which device trace-1 is fitted with"
    assert told(write(tmp_path, device(mobility))) == [text]


def test_a_library_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, device('library = "site.toml"'))
    assert told(path) == ["site.toml:1:1  no such file"]
    assert told(path, present=True) == ["hub.toml:10:14  device[0].mobility.library: no such file: site.toml"]


def test_a_device_that_does_not_run_needs_no_library(tmp_path: Path) -> None:
    assert rules(write(tmp_path, device('library = "site.toml"', enabled="false"))) == {}


def test_a_driver_without_spectra_has_nothing_to_judge(tmp_path: Path) -> None:
    path = write(tmp_path, device('library = "site.toml"', driver="scanner.zebra_ssi"), exercise="false")
    assert told(path) == ["hub.toml:10:1  device[0].mobility: driver scanner.zebra_ssi has no spectrum to judge"]
