"""Whether what devices need before a shift fits the devices."""

from collections.abc import Iterator, Mapping

from devicehub.config.limit_checks import STATISTICS
from devicehub.config.models import Config
from devicehub.config.preflight import PreflightConfig, SampleConfig
from devicehub.driver import Driver
from devicehub.model.device import ChannelKind
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake

_ONE_OF = "must have exactly one of outcome, channel and text: what the device has to find"


def preflight_complaints(config: Config, drivers: Mapping[str, Driver]) -> Iterator[Complaint]:
    """Every mistake. `drivers`: of the devices that have one, by id."""
    ids = [device.id for device in config.device]
    seen: set[str] = set()
    for number, one in enumerate(config.preflight):
        path: KeyPath = ("preflight", number)
        if one.device not in ids:
            near = suggestion(one.device, ids) or "; it must be the id of a [[device]]"
            yield value_mistake((*path, "device"), one.device, f"no such device{near}")
        elif one.device in seen:
            yield value_mistake((*path, "device"), one.device, "another [[preflight]] is about that device")
        seen.add(one.device)
        yield from _of_device(path, one, drivers.get(one.device))


def _of_device(path: KeyPath, one: PreflightConfig, driver: Driver | None) -> Iterator[Complaint]:
    if driver is not None:
        numbers = [channel.name for channel in driver.channels if channel.kind is ChannelKind.MEASUREMENT]
        for name in one.consumables:
            if name not in numbers:
                yield _unknown((*path, "consumables", name), name, driver, numbers)
    if one.sample is not None:
        yield from _sample((*path, "sample"), one.sample, driver)


def _sample(path: KeyPath, one: SampleConfig, driver: Driver | None) -> Iterator[Complaint]:
    if sum((one.outcome is not None, bool(one.channel), bool(one.text))) != 1:
        yield Complaint(path, f"{key_text(path)}: {_ONE_OF}")
    if one.finding and one.outcome is None:
        yield value_mistake((*path, "finding"), one.finding, "has no meaning without outcome")
    ends = [value for value in (one.low, one.high) if value is not None]
    if bool(one.channel) != bool(ends):
        text = "a channel needs low, high or both, and nothing else has them"
        yield Complaint((*path, "channel"), f"{key_text((*path, 'channel'))}: {text}")
    if ends != sorted(ends):
        yield value_mistake((*path, "low"), one.low, f"must not be above high = {one.high:g}")
    if driver is not None:
        yield from _fits(path, one, driver)


def _fits(path: KeyPath, one: SampleConfig, driver: Driver) -> Iterator[Complaint]:
    """Whether the device can find such a thing at all."""
    kinds = {channel.kind for channel in driver.channels}
    if one.text and ChannelKind.SCAN not in kinds:
        yield value_mistake((*path, "text"), one.text, f"driver {driver.name} reads no codes")
    known = [name for channel in driver.channels for name in _numbers(channel.name, channel.kind)]
    if one.channel and one.channel not in known:
        yield _unknown((*path, "channel"), one.channel, driver, known)


def _numbers(name: str, kind: ChannelKind) -> list[str]:
    if kind is ChannelKind.IMAGE:
        return [f"{name}.{statistic}" for statistic in STATISTICS]
    return [name] if kind is ChannelKind.MEASUREMENT else []


def _unknown(path: KeyPath, name: str, driver: Driver, known: list[str]) -> Complaint:
    near = suggestion(name, known) or f"; driver {driver.name} has {', '.join(known) or 'none'}"
    return value_mistake(path, name, f"no such number{near}")
