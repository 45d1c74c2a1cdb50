"""What no single value shows: whether keys fit each other, the drivers and the devices."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devicehub.config.desk_checks import desk_complaints
from devicehub.config.fitted import with_columns
from devicehub.config.limit_checks import limit_complaints
from devicehub.config.links import link_complaints
from devicehub.config.models import Config, DeviceConfig, MqttConfig
from devicehub.config.preflight_checks import preflight_complaints
from devicehub.config.response_checks import response_complaints
from devicehub.config.thermal_checks import thermal_complaints
from devicehub.driver import Driver
from devicehub.model.device import ChannelKind, OptionValue
from devicehub.model.errors import ConfigError
from devicehub.model.stream import Stream
from devicehub.registry import driver_names, load_driver, simulator_names
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_mistake, key_text, suggestion, value_mistake
from devicehub.transport.faults import parse_faults

RULE_TABLES = ("limit", "region", "thermal", "response")
RESERVED = frozenset({"hub", *Stream})
_TLS = frozenset({"ca", "certificate", "key", "tls_minimum"})
_PAIRS = (("certificate", "key"), ("key", "certificate"), ("password", "username"))


def check(config: Config) -> Iterator[Complaint]:
    """Every mistake between the keys of a configuration whose values are right by themselves."""
    yield from _mqtt(config.mqtt)
    drivers: dict[str, Driver] = {}
    try:
        shelf = _shelf(config)
    except ConfigError as error:
        yield value_mistake(("hub", "device_files"), str(config.hub.device_files), str(error))
        return
    for number, device in enumerate(config.device):
        path: KeyPath = ("device", number)
        yield from _driver(path, device, drivers, shelf)
    yield from _repeated("id", ((("device", n), device.id) for n, device in enumerate(config.device)))
    yield from _repeated("port", ((("device", n), _port(device)) for n, device in enumerate(config.device)))
    yield from _simulation(config)
    yield from _home(config)
    yield from limit_complaints(config, drivers)
    yield from thermal_complaints(config, drivers)
    yield from response_complaints(config)
    yield from desk_complaints(config)
    yield from preflight_complaints(config, drivers)


def check_rules(config: Config) -> Iterator[Complaint]:
    """Every mistake between rules and the devices of a configuration that is right otherwise."""
    shelf = _shelf(config)
    drivers = {device.id: with_columns(shelf.driver(device.driver), device) for device in config.device}
    yield from limit_complaints(config, drivers)
    yield from thermal_complaints(config, drivers)
    yield from response_complaints(config)


def _home(config: Config) -> Iterator[Complaint]:
    """Rules stand in the configuration or in the rule file that it names, never in both."""
    if config.rules is not None:
        yield Complaint(("rules",), "rules: stands only at the head of the rule file that alarm.rules names")
    if config.alarm.rules is not None:
        for name in RULE_TABLES:
            for number in range(len(getattr(config, name))):
                path: KeyPath = (name, number)
                text = f"with alarm.rules, every [[{name}]] stands in {config.alarm.rules}; move it there"
                yield Complaint(path, f"{key_text(path)}: {text}")


def _mqtt(mqtt: MqttConfig) -> Iterator[Complaint]:
    given = [name for name in ("username", "password", "ca", "certificate", "key") if getattr(mqtt, name)]
    given += ["tls_minimum"] if mqtt.tls_minimum != "1.3" else []
    if mqtt.url and mqtt.embedded_port:
        yield Complaint(("mqtt", "embedded_port"), "mqtt.embedded_port: has no meaning with mqtt.url")
    if not mqtt.url:
        for name in given:
            yield Complaint(("mqtt", name), f"mqtt.{name}: has no meaning for the embedded broker; set mqtt.url")
        return
    port = re.search(r":(\d+)$", mqtt.url)
    if port and not 1 <= int(port[1]) <= 65535:
        yield value_mistake(("mqtt", "url"), mqtt.url, "the port must be from 1 to 65535")
    for name in _TLS.intersection(given) if mqtt.url.startswith("mqtt:") else ():
        yield Complaint(("mqtt", name), f"mqtt.{name}: only a mqtts:// url uses TLS")
    for one, other in _PAIRS:
        if one in given and other not in given:
            yield Complaint(("mqtt", one), f"mqtt.{one}: needs mqtt.{other} too")


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the registry has, looked up once however many devices there are."""

    folder: Path | None
    names: list[str]
    simulated: list[str]
    loaded: dict[str, Driver] = field(default_factory=dict)

    def driver(self, name: str) -> Driver:
        """The driver of that name, which is one of `names`."""
        if name not in self.loaded:
            self.loaded[name] = load_driver(name, self.folder)
        return self.loaded[name]


def _shelf(config: Config) -> _Shelf:
    """Raises `ConfigError` for a device file that has the name of another driver."""
    folder = config.hub.device_files
    return _Shelf(folder, driver_names(folder), simulator_names(folder))


def _driver(path: KeyPath, device: DeviceConfig, drivers: dict[str, Driver], shelf: _Shelf) -> Iterator[Complaint]:
    """Check a device's name, check it against its driver, and note the driver under the device's id."""
    if device.id in RESERVED:
        yield value_mistake((*path, "id"), device.id, "the hub itself goes by that name in topics; choose another one")
    if device.driver not in shelf.names:
        near = suggestion(device.driver, shelf.names) or "; 'devicehub drivers list' shows all"
        yield value_mistake((*path, "driver"), device.driver, f"no such driver{near}")
        return
    driver = drivers[device.id] = with_columns(shelf.driver(device.driver), device)
    for name, value in device.options.items():
        yield from _option((*path, "options", name), value, driver)
    if device.port.startswith("sim:") and device.driver not in shelf.simulated:
        yield value_mistake((*path, "port"), device.port, f"driver {device.driver} has no simulator")
    yield from link_complaints(path, device, driver.link)
    yield from _tables(path, device, driver)
    if device.fault:
        yield from _fault((*path, "fault"), device.fault)


def _tables(path: KeyPath, device: DeviceConfig, driver: Driver) -> Iterator[Complaint]:
    """The tables of a device that only some drivers have a use for."""
    if device.mobility is not None and all(one.kind is not ChannelKind.SPECTRUM for one in driver.channels):
        text = f"mobility: driver {driver.name} has no spectrum to judge"
        yield Complaint((*path, "mobility"), f"{key_text(path)}.{text}")
    if device.csv is not None and driver.mapped is None:
        yield Complaint((*path, "csv"), f"{key_text(path)}.csv: driver {driver.name} reads no CSV files")


def _fault(path: KeyPath, text: str) -> Iterator[Complaint]:
    try:
        parse_faults(text)
    except ConfigError as error:
        yield value_mistake(path, text, f"{error}; as drop=0.01,lose=120")


def _option(path: KeyPath, value: OptionValue, driver: Driver) -> Iterator[Complaint]:
    name = str(path[-1])
    known = [option.name for option in driver.options]
    if name not in known:
        near = key_mistake(path, known)
        none = f"; driver {driver.name} has no options" if not known else ""
        yield Complaint(path, near.text + none)
        return
    try:
        driver.settings({name: value})
    except ConfigError as error:
        text = str(error).removeprefix(f"option '{name}' ").removeprefix(f"= {value!r}: ")
        yield value_mistake(path, value, text)


def _port(device: DeviceConfig) -> str:
    """The port, where only one device can have it."""
    return "" if simulated(device) else device.port


def _repeated(key: str, named: Iterable[tuple[KeyPath, str]]) -> Iterator[Complaint]:
    first: dict[str, KeyPath] = {}
    for path, name in named:
        if name and name in first:
            yield value_mistake((*path, key), name, f"already used by {key_text(first[name])}")
        first.setdefault(name, path)


def simulated(device: DeviceConfig) -> bool:
    """Whether what the device says is not from hardware that is there now."""
    return device.port.startswith(("sim:", "replay:"))


def _simulation(config: Config) -> Iterator[Complaint]:
    real = next((device.id for device in config.device if device.enabled and not simulated(device)), None)
    for number, device in enumerate(config.device):
        path: KeyPath = ("device", number, "port")
        if device.fault and not config.hub.exercise:
            where: KeyPath = ("device", number, "fault")
            yield value_mistake(where, device.fault, "faults are injected only with hub.exercise = true")
        if not device.enabled or not simulated(device):
            continue
        if not config.hub.exercise:
            yield value_mistake(path, device.port, "simulated and replayed devices need hub.exercise = true")
        elif real is not None:
            text = f"simulated and real devices cannot run together; device '{real}' is real"
            yield value_mistake(path, device.port, text)
