"""A station set up at its page: what `devicehub doctor`, `devices scan` and `devices add` do, for the hub that runs."""

from collections.abc import Collection, Iterator
from pathlib import Path
from types import MappingProxyType

from devicehub.clock import Clock, clock_quality
from devicehub.config import Config, load_config
from devicehub.config.adding import add_device
from devicehub.discover import Descriptor, Kind, candidates, descriptors
from devicehub.disk import room
from devicehub.doctor.examine import CHECKS, examine, skipped
from devicehub.doctor.findings import Level
from devicehub.doctor.gather import Senses, gather
from devicehub.driver import Driver, SerialLink, UsbLink, VideoLink
from devicehub.model.commissioning import Examination, Finding, Fit, Hardware, Wish
from devicehub.model.errors import ConfigError
from devicehub.registry import driver_names, load_driver
from devicehub.transport.serial_ports import list_serial_ports
from devicehub.transport.sysfs import snapshot

_ROOT = Path("/")
_KINDS = MappingProxyType({SerialLink: Kind.SERIAL, UsbLink: Kind.USB, VideoLink: Kind.VIDEO})


class StationCommissioning:
    """See `devicehub.web.commissioning.Commissioning`."""

    def __init__(self, file: Path, *, changes: bool, root: Path = _ROOT) -> None:
        """`file`: of the configuration. `changes`: whether devices may be added. `root`: of the computer's files."""
        self.changes = changes
        self._file = file
        self._root = root

    def examined(self) -> Examination:
        """What `devicehub doctor` finds."""
        facts = gather(self._file, self._root, Senses(Clock(), clock_quality, room))
        findings = (
            Finding(one.level is Level.FAIL, one.check, one.subject, one.what, one.remedy) for one in examine(facts)
        )
        return Examination(tuple(CHECKS), tuple(sorted(skipped(facts))), tuple(findings))

    def found(self) -> tuple[Hardware, ...]:
        """What is plugged in, without Bluetooth, which would have to be listened to for a while."""
        config, sysfs = load_config(self._file), self._root / "sys"
        drivers = list(_drivers(config.hub.device_files))
        present = descriptors(list_serial_ports(), snapshot(sysfs) if sysfs.is_dir() else (), drivers)
        return tuple(_hardware(one, drivers, config) for one in present)

    def add(self, wish: Wish) -> str:
        """Append it to the configuration file. Raises `ConfigError`."""
        folder = load_config(self._file).hub.device_files
        if wish.driver not in driver_names(folder):
            raise ConfigError(f"unknown driver {wish.driver!r}")
        return add_device(self._file, load_driver(wish.driver, folder), wish.place, wish.id)


def _drivers(folder: Path | None) -> Iterator[Driver]:
    """All that can be loaded: one that cannot fits nothing, and the examination says why."""
    for name in driver_names(folder):
        try:
            yield load_driver(name, folder)
        except ConfigError:
            continue


def _hardware(one: Descriptor, drivers: list[Driver], config: Config) -> Hardware:
    fits = tuple(Fit(fit.driver, fit.score, fit.why) for fit in candidates(one, drivers))
    usb = "" if one.usb is None else str(one.usb)
    alike = {driver.name for driver in drivers if _KINDS.get(type(driver.link)) is one.kind}
    return Hardware(str(one.kind), one.place, usb, one.serial, one.title, _configured(one, usb, config, alike), fits)


def _configured(one: Descriptor, usb: str, config: Config, alike: Collection[str]) -> str:
    """The device whose place this is, or whose USB id and serial number; empty for none.

    `alike`: drivers that reach a device the same way: a camera that one of them streams may be asked by another.
    """
    for device in config.device:
        same = usb and device.usb == usb and device.serial in {"", one.serial} and device.driver in alike
        if device.port == one.place or same:
            return device.id
    return ""
