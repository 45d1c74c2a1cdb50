"""Whether the conditions of a limit fit each other, the channel they are on, and the other alarm points."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from devicehub.config.limits import LimitConfig
from devicehub.config.models import Config
from devicehub.config.points import conditions_of, points_of
from devicehub.driver import Driver
from devicehub.model.alarm import Condition
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.units import Unit
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake
from devicehub.tomlfile.section import SEGMENT

STATISTICS = ("max", "min", "mean", "p95")
_NUMERIC = {ChannelKind.MEASUREMENT, ChannelKind.STATE}
_BELOW = (Condition.LOW_LOW, Condition.LOW)
_ABOVE = (Condition.HIGH, Condition.HIGH_HIGH)
_LEVELS = (*_BELOW, *_ABOVE)
_KINDS = {**dict.fromkeys(_LEVELS, Condition.HIGH), Condition.FALL: Condition.RISE}
_KEYS = {
    Condition.HIGH: "high",
    Condition.LOW: "low",
    Condition.HIGH_HIGH: "high_high",
    Condition.LOW_LOW: "low_low",
    Condition.RISE: "rise",
    Condition.FALL: "fall",
    Condition.DEVIATION: "deviation",
    Condition.STATE: "states",
    Condition.STALE: "stale_s",
}


def limit_complaints(config: Config, drivers: Mapping[str, Driver]) -> Iterator[Complaint]:
    """Every mistake of limits. `drivers`: of the devices that have one, by id."""
    ids = [device.id for device in config.device]
    taken: dict[tuple[str, str], int] = {}
    for number, limit in enumerate(config.limit):
        path: KeyPath = ("limit", number)
        yield from _limit(path, limit)
        if limit.device not in ids:
            near = suggestion(limit.device, ids) or "; it must be the id of a [[device]]"
            yield value_mistake((*path, "device"), limit.device, f"no such device{near}")
        elif limit.device in drivers:
            yield from _channel(path, limit, drivers[limit.device])
        if limit.reference and limit.deviation is not None:
            yield from _reference(path, limit, drivers, ids)
        for point in points_of(limit):
            first = taken.setdefault((limit.device, point.name), number)
            if first != number:
                yield Complaint((*path, "name"), f"limit[{number}]: alarm '{point.name}' is already limit[{first}]")


def _limit(path: KeyPath, limit: LimitConfig) -> Iterator[Complaint]:
    """What the table says about itself."""
    given = dict(conditions_of(limit))
    kinds = {_KINDS.get(condition, condition) for condition in given}
    if not given:
        yield Complaint(path, f"{key_text(path)}: must have a condition: {', '.join(_KEYS.values())}")
    elif len(kinds) > 1:
        names = " and ".join(_KEYS[condition] for condition in given)
        yield Complaint(path, f"{key_text(path)}: {names} are of different kinds; each needs a [[limit]] of its own")
    else:
        yield from _order(path, given)
        yield from _meaning(path, limit, *kinds)
    if limit.count > limit.of:
        yield value_mistake((*path, "count"), limit.count, f"must be at most of = {limit.of}")
    for point in points_of(limit):
        if not re.fullmatch(SEGMENT, point.name):
            text = f"the alarm's name '{point.name}' is longer than 64 characters; set a shorter name"
            yield Complaint((*path, "name"), f"{key_text(path)}: {text}")


def _order(path: KeyPath, given: Mapping[Condition, float]) -> Iterator[Complaint]:
    """Each level is less than the next one."""
    levels = [(condition, given[condition]) for condition in _LEVELS if condition in given]
    for (lower, less), (upper, more) in pairwise(levels):
        if less >= more:
            yield value_mistake((*path, _KEYS[lower]), less, f"must be less than {_KEYS[upper]} = {more:g}")


def _meaning(path: KeyPath, limit: LimitConfig, kind: Condition) -> Iterator[Complaint]:
    """Keys that a kind of condition needs, and those that say nothing about it."""
    if (kind is Condition.DEVIATION) != bool(limit.reference):
        text = "deviation needs a reference, and nothing else has one"
        yield Complaint((*path, "reference"), f"{key_text(path)}: {text}")
    if limit.hysteresis and kind in {Condition.STATE, Condition.STALE}:
        yield value_mistake((*path, "hysteresis"), limit.hysteresis, f"has no meaning with {_KEYS[kind]}")
    if limit.of > 1 and kind is Condition.STALE:
        yield value_mistake((*path, "of"), limit.of, "has no meaning with stale_s")
    if kind is Condition.DEVIATION and limit.hysteresis > (limit.deviation or 0.0):
        yield value_mistake((*path, "hysteresis"), limit.hysteresis, "the alarm of deviation never ends")


def _reference(path: KeyPath, limit: LimitConfig, drivers: Mapping[str, Driver], ids: list[str]) -> Iterator[Complaint]:
    """Whether there is a reference, and it is in the unit of the channel."""
    device, slash, name = limit.reference.rpartition("/")
    where: KeyPath = (*path, "reference")
    owner = device if slash else limit.device
    if slash and device not in ids:
        yield value_mistake(where, limit.reference, f"no such device{suggestion(device, ids)}")
    if owner not in drivers or limit.device not in drivers:
        return
    units = _units(drivers[owner])
    own = _units(drivers[limit.device]).get(limit.channel)
    if name not in units:
        near = suggestion(name, units) or f"; driver {drivers[owner].name} has {', '.join(units) or 'none'}"
        yield value_mistake(where, limit.reference, f"no such channel to compare with{near}")
    elif own is not None and units[name] is not own:
        yield value_mistake(where, limit.reference, f"is in {units[name]}, {limit.channel} in {own}")
    elif (owner, name) == (limit.device, limit.channel):
        yield value_mistake(where, limit.reference, "is the channel itself")


def _units(driver: Driver) -> dict[str, Unit]:
    return {one: channel.unit for channel in driver.channels for one in _limitable(channel)}


def _labels(path: KeyPath, limit: LimitConfig, channel: Channel) -> Iterator[Complaint]:
    for label in limit.states:
        if label not in channel.states:
            known = ", ".join(channel.states) or "none"
            near = suggestion(label, channel.states) or f"; {channel.name} has {known}"
            yield Complaint((*path, "states"), f"{key_text((*path, 'states'))}: no such state '{label}'{near}")


def _channel(path: KeyPath, limit: LimitConfig, driver: Driver) -> Iterator[Complaint]:
    name, dot, statistic = limit.channel.partition(".")
    numeric = [one for channel in driver.channels for one in _limitable(channel)]
    channel = next((channel for channel in driver.channels if channel.name == name), None)
    where: KeyPath = (*path, "channel")
    if limit.channel in numeric and channel is not None:
        yield from _labels(path, limit, channel)
        if not dot:
            yield from _reachable(path, limit, channel)
        return
    if channel is None or (dot and channel.kind is ChannelKind.IMAGE):
        near = suggestion(limit.channel, numeric) or f"; driver {driver.name} has {', '.join(numeric) or 'none'}"
        yield value_mistake(where, limit.channel, f"no such channel to limit{near}")
    elif channel.kind is ChannelKind.IMAGE:
        yield value_mistake(where, limit.channel, f"is an image; limit {', '.join(_limitable(channel))} of it")
    elif statistic:
        yield value_mistake(where, limit.channel, f"is no image; only an image has .{statistic}")
    else:
        yield value_mistake(where, limit.channel, f"is a {channel.kind}; only a number has limits")


def _limitable(channel: Channel) -> list[str]:
    if channel.kind is ChannelKind.IMAGE:
        return [f"{channel.name}.{statistic}" for statistic in STATISTICS]
    return [channel.name] if channel.kind in _NUMERIC else []


def _reachable(path: KeyPath, limit: LimitConfig, channel: Channel) -> Iterator[Complaint]:
    """A limit that no possible value passes is an alarm that never comes."""
    text = f"{channel.name} is from {channel.low:g} to {channel.high:g} {channel.unit}"
    for condition, value in conditions_of(limit):
        key = _KEYS[condition]
        if condition in _ABOVE:
            if value >= channel.high:
                most = f"never exceeded: {channel.name} is at most {channel.high:g} {channel.unit}"
                yield value_mistake((*path, key), value, most)
            room = value - limit.hysteresis - channel.low
        elif condition in _BELOW:
            if value <= channel.low:
                least = f"never undercut: {channel.name} is at least {channel.low:g} {channel.unit}"
                yield value_mistake((*path, key), value, least)
            room = channel.high - value - limit.hysteresis
        else:
            continue
        # An alarm ends once the value is back inside its limit by the hysteresis.
        if room < 0:
            yield value_mistake((*path, "hysteresis"), limit.hysteresis, f"the alarm of {key} never ends: {text}")
