"""Finds drivers and simulators by file name: `drivers/<family>/<file>.py` is the driver `<family>.<file>`.

Third parties add theirs with the entry-point groups `devicehub.drivers` and `devicehub.simulators`;
the entry point's name is the driver's name and its object the `Driver` or simulator factory.

`drivers/evidence.json` says what each driver's tests rest on; `docs/generate.py` computes it from them.
"""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import msgspec

from devicehub.driver import Driver
from devicehub.model.device import EvidenceLevel
from devicehub.model.errors import ConfigError
from devicehub.simulator import SimulatorFactory

EVIDENCE = "evidence.json"


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"the package '{package}' is missing beside devicehub: the installation is damaged")
    return Path(next(iter(spec.submodule_search_locations)))


def _files(package: str) -> Iterator[str]:
    for path in sorted(_folder(package).glob("*/*.py")):
        if not path.name.startswith("_"):
            yield f"{path.parent.name}.{path.stem}"


def driver_names() -> list[str]:
    """Names of all drivers, without importing one."""
    return sorted({*_files("drivers"), *(point.name for point in entry_points(group="devicehub.drivers"))})


def simulator_names() -> list[str]:
    """Names of all simulators, without importing one."""
    return sorted({*_files("simulators"), *(point.name for point in entry_points(group="devicehub.simulators"))})


def load_driver(name: str) -> Driver:
    """Import one driver. Raises `ConfigError` with the nearest name for an unknown one."""
    return replace(cast(Driver, _load("drivers", name, "DRIVER")), name=name, evidence=evidence_level(name))


def evidence_level(name: str) -> EvidenceLevel:
    """What the tests of that driver rest on; UNTESTED for one that does not ship. Raises `ConfigError`."""
    path = _folder("drivers") / EVIDENCE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, EvidenceLevel]).get(name, EvidenceLevel.UNTESTED)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: {error}: the installation is damaged") from None


def load_simulator(name: str) -> SimulatorFactory:
    """Import one simulator's factory. Raises `ConfigError` for an unknown one."""
    return cast(SimulatorFactory, _load("simulators", name, "SIMULATOR"))


def _load(package: str, name: str, attribute: str) -> object:
    if name in set(_files(package)):
        return cast(object, getattr(importlib.import_module(f"{package}.{name}"), attribute))
    for point in entry_points(group=f"devicehub.{package}"):
        if point.name == name:
            return cast(object, point.load())
    known = driver_names() if package == "drivers" else simulator_names()
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"
    raise ConfigError(f"unknown {package.removesuffix('s')} '{name}'{hint}")
