"""Finds drivers and simulators by file name: `drivers/<family>/<file>.py` is the driver `<family>.<file>`.

`drivers/<family>/<file>.toml` is a device file, which gives both. So does `<family>/<file>.toml` in a site's own
folder, which the functions here take as `folder`; it must not have the name of a driver that ships.

Third parties add theirs with the entry-point groups `devicehub.drivers` and `devicehub.simulators`;
the entry point's name is the driver's name and its object the `Driver` or simulator factory.

`drivers/evidence.json` says what each driver's tests rest on; `docs/generate.py` computes it from them.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import msgspec

from devicehub.driver import Driver
from devicehub.model.device import EvidenceLevel
from devicehub.model.errors import ConfigError
from devicehub.simulator import SimulatorFactory
from devicehub.wire.protocol import Reseal

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


def _device_files(folder: Path) -> dict[str, Path]:
    return {f"{path.parent.name}.{path.stem}": path for path in sorted(folder.glob("*/*.toml"))}


def device_files(folder: Path | None = None) -> dict[str, Path]:
    """Device files by the names of their drivers. Raises `ConfigError` for a name that a driver has already."""
    shipped = _device_files(_folder("drivers"))
    own = {} if folder is None or folder == _folder("drivers") else _device_files(folder)
    for name in own:
        if name in shipped or name in set(_files("drivers")):
            raise ConfigError(f"{own[name]}: there is a driver {name} already; give the file another name")
    return shipped | own


def driver_names(folder: Path | None = None) -> list[str]:
    """Names of all drivers, without loading one."""
    points = (point.name for point in entry_points(group="devicehub.drivers"))
    return sorted({*_files("drivers"), *device_files(folder), *points})


def evidence_level(name: str) -> EvidenceLevel:
    """What the tests of that driver rest on; UNTESTED for one that does not ship. Raises `ConfigError`."""
    path = _folder("drivers") / EVIDENCE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, EvidenceLevel]).get(name, EvidenceLevel.UNTESTED)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: {error}: the installation is damaged") from None


def simulator_names(folder: Path | None = None) -> list[str]:
    """Names of all simulators, without loading one."""
    points = (point.name for point in entry_points(group="devicehub.simulators"))
    return sorted({*_files("simulators"), *device_files(folder), *points})


def load_driver(name: str, folder: Path | None = None) -> Driver:
    """Load one driver. Raises `ConfigError` with the nearest name for an unknown one."""
    path = device_files(folder).get(name)
    if path is None:
        made = cast(Driver, _load("drivers", name, partial(driver_names, folder)))
        return replace(made, name=name, evidence=evidence_level(name))
    files = importlib.import_module("devicehub.devicefile.load")  # most commands load no device file
    made = cast(Driver, files.driver(files.load(path), name))
    return replace(made, file=str(path), evidence=evidence_level(name))


def simulator_of(driver: Driver) -> SimulatorFactory:
    """The simulator of a driver: of the same file, if it comes from a device file. Raises `ConfigError`."""
    return load_simulator(driver.name, Path(driver.file).parents[1] if driver.file else None)


def resealer_of(driver: Driver) -> Reseal | None:
    """What makes the checks of frames right again: of the driver's device file, if it comes from one."""
    if not driver.file:
        return None
    files, sealing = (importlib.import_module(f"devicehub.devicefile.{name}") for name in ("load", "sealing"))
    return cast(Reseal | None, sealing.resealer(files.load(Path(driver.file))))


def load_simulator(name: str, folder: Path | None = None) -> SimulatorFactory:
    """Load one simulator's factory. Raises `ConfigError` for an unknown one."""
    path = device_files(folder).get(name)
    if path is None:
        return cast(SimulatorFactory, _load("simulators", name, partial(simulator_names, folder)))
    files, links = (importlib.import_module(f"devicehub.devicefile.{name}") for name in ("load", "links"))
    return cast(SimulatorFactory, links.simulator(files.load(path)))


def _load(package: str, name: str, known: Callable[[], list[str]]) -> object:
    attribute = package.removesuffix("s").upper()
    if name in set(_files(package)):
        return cast(object, getattr(importlib.import_module(f"{package}.{name}"), attribute))
    for point in entry_points(group=f"devicehub.{package}"):
        if point.name == name:
            return cast(object, point.load())
    names = known()
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names)}"
    raise ConfigError(f"unknown {package.removesuffix('s')} '{name}'{hint}")
