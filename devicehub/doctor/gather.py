"""Gathers the facts of a workstation: the only part of an examination that looks at anything.

Everything on disk is looked for below `root`, so that a mounted disk of another computer can be examined, and a test
can build a computer in a folder.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from devicehub.clock import Clock, ClockQuality
from devicehub.config import Config, ConfigProblems, load_config
from devicehub.config.broker import broker_settings
from devicehub.config.checks import simulated
from devicehub.config.fitted import fitted_drivers
from devicehub.doctor.accounts import account
from devicehub.doctor.facts import Broker, Camera, Certificate, Disk, Facts, LocalBroker, Node, Rules, System
from devicehub.doctor.probe import probe
from devicehub.driver import Driver, SerialLink, UsbLink, VideoLink
from devicehub.journal.salvage import examine as examine_journal
from devicehub.lock import is_held
from devicehub.model.errors import ConfigError, JournalError
from devicehub.publish.certificate import CertificateError, ends
from devicehub.publish.topics import Topics
from devicehub.tomlfile.problems import Problem
from devicehub.transport.inventory import Kind, Present
from devicehub.transport.sysfs import snapshot
from devicehub.udev import NAME, rules

_RULES = tuple(f"{top}/udev/rules.d" for top in ("etc", "run", "usr/local/lib", "usr/lib", "lib"))
_MODEM_MANAGER = ("usr/sbin/ModemManager", "usr/bin/ModemManager")
_KINDS = MappingProxyType({SerialLink: Kind.SERIAL, UsbLink: Kind.USB, VideoLink: Kind.VIDEO})
_BLUEZ = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd")
_BUS = ("run/dbus/system_bus_socket", "var/run/dbus/system_bus_socket")
_MOSQUITTO = "etc/mosquitto/mosquitto.conf"
_CLAIM = re.compile(r'ENV\{PRODUCT\}=="([0-9a-f]{1,4})/([0-9a-f]{1,4})/', re.IGNORECASE)
_CLAIM_BY_ID = re.compile(r'idVendor\}=="([0-9a-f]{4})".*idProduct\}=="([0-9a-f]{4})"', re.IGNORECASE)
_AUTOSAVE = 1800
"""Mosquitto's own default, mosquitto.conf(5)."""


@dataclass(frozen=True, slots=True)
class Senses:
    """What of a computer is not below its root. `disk`: total and free bytes of the disk of a folder."""

    clock: Clock
    quality: Callable[[], ClockQuality]
    disk: Callable[[Path], tuple[int, int]]


def gather(file: Path, root: Path, senses: Senses, *, user: str = "", network: bool = True) -> Facts:
    """All facts. `user`: who the hub runs as; empty: see `account`. `network`: whether the broker is spoken to."""
    config, problems = _loaded(file)
    drivers = {} if config is None else _real(config)
    ids = {} if config is None else _ids(config, drivers)
    present = snapshot(root / "sys") if (root / "sys").is_dir() else ()
    state = Path("/") if config is None else config.hub.state
    total, free = senses.disk(_existing(state))
    held = config is not None and state.is_dir() and is_held(state)
    return Facts(
        now=senses.clock.utc(),
        file=str(file),
        account=account(root, user),
        config=config,
        problems=problems,
        drivers=drivers,
        ids=ids,
        nodes=() if config is None else tuple(_nodes(config, drivers, ids, present, root)),
        rules=Rules(_installed(root), rules()),
        system=_system(root, present),
        clock=senses.quality(),
        disk=Disk(str(state), total, free),
        present=present,
        cameras=tuple(_cameras(root / "sys", present)),
        certificates=() if config is None else tuple(_certificates(config)),
        broker=_broker(config, senses.clock) if config is not None and config.mqtt.url and network else None,
        local_broker=None if config is None else _local_broker(config, root),
        journal=() if config is None else tuple(_journal(state / "journal.sqlite")),
        running=held,
    )


def _loaded(file: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        return load_config(file), ()
    except ConfigProblems as error:
        return None, error.problems
    except ConfigError as error:
        return None, (Problem(file, 1, 1, str(error)),)


def _real(config: Config) -> dict[str, Driver]:
    real = {device.id for device in config.device if device.enabled and not simulated(device)}
    return {name: driver for name, driver in fitted_drivers(config).items() if name in real}


def _existing(folder: Path) -> Path:
    """The folder, or what it would be made in."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _ids(config: Config, drivers: dict[str, Driver]) -> dict[str, frozenset[str]]:
    """The USB ids that each device may have: the one that is configured, else those of its driver."""
    found: dict[str, frozenset[str]] = {}
    for device in config.device:
        if device.id in drivers:
            link = drivers[device.id].link
            declared = link.usb if isinstance(link, SerialLink) else getattr(link, "ids", ())
            found[device.id] = frozenset([device.usb] if device.usb else map(str, declared))
    return found


def _nodes(
    config: Config, drivers: dict[str, Driver], ids: dict[str, frozenset[str]], present: tuple[Present, ...], root: Path
) -> Iterator[Node]:
    for device in config.device:
        if device.id not in drivers:
            continue
        kind = _KINDS.get(type(drivers[device.id].link))
        found = [one.node for one in present if one.kind is kind and str(one.usb) in ids[device.id] and one.node]
        for path in [device.port] if device.port.startswith("/dev/") else found:
            yield _node(device.id, path, root)


def _node(device: str, path: str, root: Path) -> Node:
    try:
        stat = (root / path.lstrip("/")).stat()
    except OSError:
        return Node(device, path)
    return Node(device, path, stat.st_mode, stat.st_uid, stat.st_gid)


def _installed(root: Path) -> tuple[str, str] | None:
    for folder in _RULES:
        path = root / folder / NAME
        if path.is_file():
            return f"/{folder}/{NAME}", path.read_text(encoding="utf-8", errors="replace")
    return None


def _system(root: Path, present: tuple[Present, ...]) -> System:
    return System(
        modem_manager=any((root / one).exists() for one in _MODEM_MANAGER),
        claims=dict(_claims(root)),
        bluez=any((root / one).exists() for one in _BLUEZ),
        bus=any((root / one).exists() for one in _BUS),
        adapters=sum(one.kind is Kind.BLE_ADAPTER for one in present),
    )


def _claims(root: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Rule files of brltty that are in force: one of the same name in an earlier folder stands in for it."""
    seen: set[str] = set()
    for folder in _RULES:
        for path in sorted((root / folder).glob("*brltty*.rules")):
            if path.name in seen:
                continue
            seen.add(path.name)
            text = "" if path.is_symlink() else path.read_text(encoding="utf-8", errors="replace")
            lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
            found = (match for line in lines for one in (_CLAIM, _CLAIM_BY_ID) for match in one.finditer(line))
            yield path.name, frozenset(f"{match[1]:0>4}:{match[2]:0>4}".lower() for match in found)


def _cameras(sysfs: Path, present: tuple[Present, ...]) -> Iterator[Camera]:
    for one in present:
        if one.kind is not Kind.VIDEO or not one.port:
            continue
        bus = next((part for part in one.port.split("/") if re.fullmatch(r"usb\d+", part)), one.port)
        try:
            speed = float((sysfs / one.port.lstrip("/") / "speed").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        yield Camera(one.node, bus, speed)


def _certificates(config: Config) -> Iterator[Certificate]:
    for key, path in (("mqtt.ca", config.mqtt.ca), ("mqtt.certificate", config.mqtt.certificate)):
        if path is None:
            continue
        try:
            yield Certificate(key, str(path), ends(path.read_text(encoding="ascii")))
        except OSError as error:
            yield Certificate(key, str(path), None, error.strerror or str(error))
        except (CertificateError, UnicodeDecodeError) as error:
            yield Certificate(key, str(path), None, f"no certificate: {error}")


def _broker(config: Config, clock: Clock) -> Broker:
    topics = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise)
    try:
        settings = broker_settings(config)
    except ConfigError as error:
        return Broker(config.mqtt.url, failure=str(error))
    return asyncio.run(probe(config.mqtt.url, settings, topics, clock))


def _local_broker(config: Config, root: Path) -> LocalBroker | None:
    host = urlsplit(config.mqtt.url).hostname
    main = root / _MOSQUITTO
    if host not in {"127.0.0.1", "localhost", "::1"} or not main.is_file():
        return None
    files = [main, *sorted((root / "etc/mosquitto/conf.d").glob("*.conf"))]
    words = [line.split() for file in files for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    told = {line[0]: line[1] for line in words if len(line) == 2}
    autosave = told.get("autosave_interval", "")
    return LocalBroker(
        f"/{_MOSQUITTO}",
        persistence=told.get("persistence") == "true",
        autosave_s=int(autosave) if autosave.isdigit() else _AUTOSAVE,
    )


def _journal(path: Path) -> list[str]:
    if not path.exists():
        return []
    try:
        return [str(one) for one in examine_journal(path)]
    except (JournalError, sqlite3.Error, OSError) as error:
        return [str(error)]
