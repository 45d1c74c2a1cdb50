"""A configuration to the plan of a hub, and a configuration that is read again to what it changes."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from devicehub import __version__
from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.config import Config, PageConfig, digest, load_config
from devicehub.config.amend import amend
from devicehub.config.diff import diff, running
from devicehub.config.fitted import fitted_drivers
from devicehub.config.mobility import mobility_rules
from devicehub.config.preflight import needs
from devicehub.config.rulebook import rulebook
from devicehub.config.rules import InForce, remember, remembered, rule_set, rules_data, shadow_config, succeeding
from devicehub.config.scan_key import scan_key
from devicehub.config.watchlist import load_watchlist
from devicehub.core import Setting
from devicehub.core.commands import command_data
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.driver import Driver, FileLink, OperatorLink
from devicehub.hub import Plan, Revision, RulesChange, Upkeep, will
from devicehub.hub.declared import COMMANDS
from devicehub.hub.plan import Undo
from devicehub.journal.store import GIB
from devicehub.links import Links
from devicehub.model.device import ChannelKind
from devicehub.model.errors import ConfigError, LinkBusyError
from devicehub.model.instant import instant
from devicehub.model.message import Kind
from devicehub.model.payload import DeskData, InfoData, RulesData
from devicehub.model.rulebook import LimitWish, RuleBook
from devicehub.publish.envelope import Encoder
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Connect
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics, schema_id
from devicehub.transport.blocking import Blocking

_log = logging.getLogger(__name__)

DAMAGED_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class _Taken:
    """A configuration that is valid, what the core makes of it, by which rules it goes then and which it tries."""

    config: Config
    setting: Setting
    rules: InForce
    shadow: RulesData | None


class Configured:
    """What runs, as it is configured."""

    def __init__(self, config: Config, links: Links, clock: Clock, file: Path | None) -> None:
        """`file`: where the configuration was read, None for one that no file holds. Raises `ConfigError`."""
        self._links = links
        self._clock = clock
        self._file = file
        self._boot = clock.token(4).hex()
        self._started = instant(clock.utc())
        self._reading = Blocking("configuration")
        self._remembering = Blocking("rules in force")
        self._before = remembered(config.hub.state)
        self._taken = _taken(config, self._before, clock)

    @property
    def page(self) -> PageConfig:
        """The local page as it was configured at the start: only a restart changes it."""
        return self._taken.config.page

    def rulebook(self) -> RuleBook:
        """The rules in force, as people are shown them."""
        return rulebook(self._taken.config, self._taken.setting.mobility)

    def kept_back(self, device: str) -> bool:
        """Whether what a device says is shown to nobody: documents and codes, unless their text may be published."""
        setting = self._taken.setting
        driver = setting.devices.get(device)
        return (driver is None or _scans_with(driver)) and setting.scans.publish is not Publish.TEXT

    def drivers(self) -> Mapping[str, Driver]:
        """The drivers of the devices that run, by device."""
        return self._taken.setting.devices

    def plan(self, settings: BrokerSettings) -> Plan:
        """What the hub is made of, without the threads of its journal and of its evidence."""
        config, boot = self._taken.config, self._boot
        hub = config.hub
        topics = Topics(hub.site, hub.node, exercise=hub.exercise)
        encoder = Encoder(hub.site, hub.node, boot=boot, exercise=hub.exercise)
        return Plan(
            setting=self._taken.setting,
            posts=self._posts(self._taken, running(config)),
            connect=_connect(settings, topics, encoder, self._clock, boot),
            topics=topics,
            encoder=encoder,
            boot=boot,
            info=lambda: self._info(self._taken),
            rules=self._change(self._before, self._taken),
            state=hub.state,
            upkeep=_upkeep(config),
            reread=self.reread,
            amend=self.amend,
            window=config.mqtt.window,
        )

    async def amend(self, wish: LimitWish) -> Undo:
        """Change a limit in the rule file. Raises `ConfigError`; then nothing has changed."""
        undo = await self._reading.run(amend, self._taken.config, self._taken.rules, wish)
        return partial(self._reading.run, undo)

    async def reread(self) -> Revision:
        """Read the files again; what has to be done for what they say now.

        Raises `ConfigError`: with every mistake, or with the keys that nothing but a restart can change.
        """
        if self._file is None:
            raise ConfigError("no file holds this configuration: there is nothing to read again")
        fresh = await self._reading.run(partial(_read, self._file, self._taken.rules, self._clock))
        difference = diff(self._taken.config, fresh.config)
        if difference.restart:
            keys = ", ".join(difference.restart)
            raise ConfigError(f"{self._file}: nothing is changed, since only a restart can change {keys}")
        devices = difference.devices
        return Revision(
            setting=fresh.setting,
            upkeep=_upkeep(fresh.config),
            info=self._info(fresh),
            rules=self._change(self._taken.rules, fresh),
            stopped=devices.removed,
            restarted=devices.changed,
            posts=self._posts(fresh, {*devices.added, *devices.changed}),
            take=partial(self._take, fresh),
            summary=difference.summary() + ("; other rules are tried" if fresh.shadow != self._taken.shadow else ""),
        )

    def _take(self, fresh: _Taken) -> None:
        self._taken = fresh

    def _posts(self, taken: _Taken, starting: Collection[str]) -> list[Post]:
        drivers = taken.setting.devices
        return [
            Post(
                device.id,
                self._links.opener(device, drivers[device.id]),
                partial(drivers[device.id].open, device.options),
                drivers[device.id].quiet,
                partial(self._links.retire, device.id),
                private=_scans_with(drivers[device.id]) or isinstance(drivers[device.id].link, FileLink),
                damaged_most=_damaged_most(drivers[device.id]),
            )
            for device in taken.config.device
            if device.id in starting
        ]

    def _change(self, before: InForce | None, fresh: _Taken) -> RulesChange | None:
        """What is to be told and remembered of rules that were not in force before."""
        new, old = fresh.rules.rules, None if before is None else before.rules
        if old is not None and (old.digest, old.version) == (new.digest, new.version):
            return None
        data = new if old is None else replace(new, previous=old.digest, previous_version=old.version)
        return RulesChange(data, partial(self._remember, fresh))

    async def _remember(self, fresh: _Taken) -> None:
        try:
            await self._remembering.run(remember, fresh.config.hub.state, fresh.rules)
        except (OSError, LinkBusyError) as error:
            _log.error("the rules in force are not remembered, and told once more by the next start: %s", error)

    def _info(self, taken: _Taken) -> InfoData:
        config = taken.config
        return InfoData(
            version=__version__,
            boot=self._boot,
            config_digest=digest(config),
            schema_version=config.schema_version,
            drivers=tuple(sorted({device.driver for device in config.device})),
            devices=tuple(device.id for device in config.device if device.enabled),
            clock_source="system",
            started=self._started,
            schemas=tuple(schema_id(kind) for kind in Kind),
            commands=tuple(command_data(command, allowed=True) for command in COMMANDS),
            rules=taken.rules.rules,
            shadow=taken.shadow,
            desks=tuple(DeskData(desk.name, desk.devices) for desk in taken.setting.desks),
        )


def _read(file: Path, before: InForce, clock: Clock) -> _Taken:
    """Everything that a disk may keep waiting for. Runs in a thread."""
    return _taken(load_config(file), before, clock)


def _taken(config: Config, before: InForce | None, clock: Clock) -> _Taken:
    shadow = shadow_config(config)
    tried = None if shadow is None else rules_data(shadow)
    return _Taken(config, _setting(config, shadow, clock), succeeding(config, before), tried)


def _setting(config: Config, shadow: Config | None, clock: Clock) -> Setting:
    drivers = fitted_drivers(config)
    rules = rule_set(config, drivers)
    return Setting(
        devices=drivers,
        limits=rules.limits,
        thermal=rules.thermal,
        mobility=mobility_rules(config),
        scans=_scans(config, clock.token),
        rules_digest=rules.digest,
        shadow=None if shadow is None else rule_set(shadow, drivers),
        batch_readings=config.hub.readings == "batch",
        required=tuple(dict.fromkeys(config.lane.requires)),
        desks=[desk.desk() for desk in config.desk],
        needs={one.device: needs(one) for one in config.preflight},
        shelve_most=config.alarm.shelve_most_h * 3600,
        ids=clock.ulid,
    )


def _damaged_most(driver: Driver) -> int:
    """Damaged frames in a row after which its link is opened anew; a device file says so itself: `reopen_after`."""
    return 0 if driver.file or isinstance(driver.link, FileLink | OperatorLink) else DAMAGED_MOST


def _scans_with(driver: Driver) -> bool:
    """Whether it reads documents or codes: personal data."""
    return any(channel.kind is ChannelKind.SCAN for channel in driver.channels)


def _upkeep(config: Config) -> Upkeep:
    return Upkeep(
        health_every=config.hub.health_s,
        keep_days=config.journal.days,
        journal_limit=int(config.journal.gib * GIB),
    )


def _scans(config: Config, chance: Callable[[int], bytes]) -> ScanPolicy:
    """Raises `ConfigError` for a key or a watch list that cannot be used."""
    key, watchlist = scan_key(config, chance), config.scan.watchlist
    watch = None if watchlist is None else load_watchlist(watchlist, key)
    return ScanPolicy(Publish(config.scan.publish), key, watch)


def _connect(settings: BrokerSettings, topics: Topics, encoder: Encoder, clock: Clock, boot: str) -> Connect:
    return lambda: connect(settings, will(topics, encoder, clock, boot))
