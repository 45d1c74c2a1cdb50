"""What is known of one device: state, errors, capabilities, latest values, its screen."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

from devicehub.core.commands import command_data
from devicehub.core.gaps import DeviceGaps
from devicehub.core.screen import Screen
from devicehub.core.verdicts import Ability, worst
from devicehub.driver import Driver, FileLink
from devicehub.model.device import Channel, DeviceState
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import (
    AnyPayload,
    CapabilityData,
    CapabilityItem,
    ChannelData,
    DescribeData,
    DeviceData,
    DeviceEventData,
    GapData,
    StateData,
)
from devicehub.model.reading import (
    Capability,
    Cause,
    Change,
    Dropped,
    Fault,
    Level,
    Measurement,
    Quality,
    Stamp,
)
from devicehub.model.segment import unicode_text

Ids = Callable[[], str]

_FAULT_MOST = 200
_AWAY = {DeviceState.OFFLINE, DeviceState.LOST, DeviceState.FAULTED}
_EVENTS = {
    DeviceState.READY: "device.ready",
    DeviceState.LOST: "device.lost",
    DeviceState.FAULTED: "device.faulted",
    DeviceState.OFFLINE: "device.offline",
}


@dataclass(slots=True)
class History:
    """What goes on when a device is configured anew while the hub runs: what is missing of it, and all counts."""

    gaps: DeviceGaps
    losses: int = 0
    said: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])


class DeviceBook:
    """The core's memory of one device. `last_heard`: monotonic second of what made sense last, -inf before that."""

    def __init__(self, name: str, driver: Driver, former: "DeviceBook | None" = None) -> None:
        """`former`: of the same device under another configuration; what was counted and what is missing go on."""
        self._name = name
        self._driver = driver
        self.state = DeviceState.OFFLINE
        self._since = 0.0
        self._why = "not yet connected"
        self._errors_told = 0
        self._last_fault = ""
        self.serial = ""  # of the unit, as it says itself or as its link does
        self._facts: dict[str, str] = {}
        self._link: dict[str, str] = {}
        self._reported: dict[str, tuple[Level, Cause]] = dict.fromkeys(driver.capabilities, (Level.FULL, Cause.NONE))
        self.judged: dict[str, Ability] = {}
        self._told: CapabilityData | None = None
        self._values: StateData = {}
        self._values_changed = False
        self.last_heard = -inf
        self._battery_told: float | None = None
        self.history: History = History(DeviceGaps(name)) if former is None else former.history
        self.history.gaps.patience = inf if driver.quiet else driver.stale_after
        self.screen = Screen(every=isinstance(driver.link, FileLink))

    def births(self, now: Stamp, ids: Ids) -> list[Message]:
        """Description, state and capabilities, as they are."""
        self._since = self._since or now.utc
        self.history.gaps.begin(now)
        return [self._describe(now, ids), self._device(now, ids), *self._capabilities(now, ids)]

    def heard(self, at: Stamp, ids: Ids) -> list[Message]:
        """The device said something that made sense: a silence ends."""
        self.last_heard = at.mono
        self.history.said += 1
        return self._missing(self.history.gaps.heard(at), at, ids)

    def refused(self, item: Fault | Dropped, ids: Ids) -> list[Message]:
        """Refused frames, the text of the last being part of what is told of the device; readings without room."""
        if isinstance(item, Fault):
            self._count(item)
            return self._missing(self.history.gaps.count(item), item.at, ids)
        return self._missing(self.history.gaps.dropped(item), item.at, ids)

    def _count(self, fault: Fault) -> None:
        self.history.errors[fault.reason] += fault.count
        self._last_fault = unicode_text(f"{fault.reason}: {fault.detail}" if fault.detail else fault.reason)[
            :_FAULT_MOST
        ]

    def change(self, change: Change, ids: Ids) -> list[Message]:
        """The supervisor's state changed: told at once, and once. What an earlier link brought is forgotten."""
        told = any(self._link.get(name) != value for name, value in change.facts)
        self._link.update(change.facts)
        self._identify()
        missing = self._missing(self.history.gaps.change(change), change.at, ids)
        if (change.state, change.why) == (self.state, self._why):
            return [*missing, self._describe(change.at, ids)] if told else missing
        self.history.losses += change.state is DeviceState.LOST
        self.state, self._since, self._why = change.state, change.at.utc, change.why
        self.screen.clear()
        if change.state not in _AWAY:
            self._reported = dict.fromkeys(self._driver.capabilities, (Level.FULL, Cause.NONE))
        if change.state is DeviceState.READY:
            self.last_heard = change.at.mono
        values = self._forgotten(change.at, ids) if change.state in _AWAY else []
        out = [self._device(change.at, ids), *self._capabilities(change.at, ids), *values]
        if told:
            out.append(self._describe(change.at, ids))
        if change.state in _EVENTS:
            data = DeviceEventData(self._name, change.state.value, change.why)
            out.append(self._message(Kind.EVENT, _EVENTS[change.state], change.at, data, ids))
        return [*out, *missing]

    def _identify(self) -> None:
        self.serial = self._facts.get("serial") or self._link.get("serial", "")

    def _forgotten(self, now: Stamp, ids: Ids) -> list[Message]:
        """A device that went away has no values any more: the last good ones must not be taken for those of now."""
        if all(value is None for value in self._values.values()):
            return []
        self._values = dict.fromkeys(self._values)
        return [self._state_of_values(now, ids)]

    def _state_of_values(self, now: Stamp, ids: Ids) -> Message:
        self._values_changed = False
        return self._message(Kind.STATE, "state", now, dict(self._values), ids)

    def missing(self, now: Stamp, ids: Ids) -> list[Message]:
        """What is missing by `now`, when everything that came before was given."""
        return self._missing(self.history.gaps.tick(now), now, ids)

    def finish(self, now: Stamp, ids: Ids) -> list[Message]:
        """The hub stops: what was not told yet of what is missing."""
        return self._missing(self.history.gaps.finish(now), now, ids)

    def _missing(self, gaps: Sequence[GapData], at: Stamp, ids: Ids) -> list[Message]:
        return [self._message(Kind.GAP, "gap", at, gap, ids) for gap in gaps]

    def latest(self, measurement: Measurement) -> None:
        """Remember a checked measurement for the flat state."""
        usable = measurement.quality is not Quality.BAD and isfinite(measurement.value)
        self._values[measurement.channel] = (measurement.label or measurement.value) if usable else None
        self._values_changed = True

    def capability(self, said: Sequence[Capability], at: Stamp, ids: Ids, *, judged: bool = False) -> list[Message]:
        """The device's own word on capabilities, or the hub's; one that the driver did not declare is taken in too.

        What is told is the worse of both.
        """
        into = self.judged if judged else self._reported
        into |= {one.name: (one.level, one.cause) for one in said}
        return self._capabilities(at, ids)

    def identity(self, facts: tuple[tuple[str, str], ...], at: Stamp, ids: Ids) -> list[Message]:
        """What the device says it is; told when it changed."""
        if all(self._facts.get(name) == value for name, value in facts):
            return []
        self._facts.update(facts)
        self._identify()
        return [self._describe(at, ids)]

    def tick(self, now: Stamp, ids: Ids) -> list[Message]:
        """Once a second: latest values if they changed, error counts if they grew, battery, staleness."""
        out = self._capabilities(now, ids)
        if self._values_changed:
            out.append(self._state_of_values(now, ids))
        if self.history.errors.total() != self._errors_told or self._battery() != self._battery_told:
            out.append(self._device(now, ids))
        return out

    def _capabilities(self, now: Stamp, ids: Ids) -> list[Message]:
        """The capabilities as they stand, if that is news."""
        override = self._override(now)
        names = sorted({*self._reported, *self.judged})
        words = ([one[name] for one in (self._reported, self.judged) if name in one] for name in names)
        found = (override or worst(each) for each in words)
        data = CapabilityData(tuple(CapabilityItem(name, *one) for name, one in zip(names, found, strict=True)))
        if data == self._told:
            return []
        self._told = data
        return [self._message(Kind.CAPABILITY, "capability", now, data, ids)]

    def _override(self, now: Stamp) -> tuple[Level, Cause] | None:
        """Nothing can be detected through a device that is away or silent."""
        if self.state in _AWAY:
            return (Level.NONE, Cause.FAULT if self.state is DeviceState.FAULTED else Cause.NOT_CONNECTED)
        if self.state is DeviceState.BUSY or now.mono - self.last_heard > self._driver.stale_after:
            return (Level.NONE, Cause.STALE)
        return None

    def _device(self, now: Stamp, ids: Ids) -> Message:
        self._errors_told = self.history.errors.total()
        self._battery_told = self._battery()
        data = DeviceData(
            state=self.state,
            since=instant(self._since),
            why=self._why,
            errors=dict(sorted(self.history.errors.items())),
            losses=self.history.losses,
            battery=self._battery_told,
            last_fault=self._last_fault,
        )
        return self._message(Kind.DEVICE, "device", now, data, ids)

    def _battery(self) -> float | None:
        """The charge as the device gave it last, to a whole unit: its noise is no news."""
        charge = self._values.get("battery")
        return float(round(charge)) if isinstance(charge, float | int) else None

    def _describe(self, now: Stamp, ids: Ids) -> Message:
        driver = self._driver
        data = DescribeData(
            driver=driver.name,
            title=driver.title,
            category=driver.category,
            channels=tuple(_channel_data(channel) for channel in driver.channels),
            capabilities=driver.capabilities,
            integrity=driver.integrity,
            usb=self._link.get("usb", ""),
            serial=self._link.get("serial", ""),
            address=self._link.get("address", ""),
            facts=dict(sorted(self._facts.items())),
            commands=tuple(command_data(command, allowed=driver.control) for command in driver.commands),
            evidence=driver.evidence,
            self_tests=driver.self_tests,
        )
        return self._message(Kind.DESCRIBE, "describe", now, data, ids)

    def _message(self, kind: Kind, word: str, at: Stamp, data: AnyPayload, ids: Ids) -> Message:
        return Message(kind=kind, type=word, id=ids(), time=at.utc, mono=at.mono, data=data, device=self._name)


def _channel_data(channel: Channel) -> ChannelData:
    return ChannelData(
        name=channel.name,
        title=channel.title,
        unit=channel.unit,
        kind=channel.kind,
        low=channel.low if isfinite(channel.low) else None,
        high=channel.high if isfinite(channel.high) else None,
        resolution=channel.resolution,
        states=channel.states,
    )
