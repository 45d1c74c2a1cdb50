"""Whether regions and thermal rules fit each other, the devices and the other alarm points."""

from collections.abc import Iterator, Mapping

from devicehub.config.models import Config
from devicehub.config.points import points_of
from devicehub.config.thermal import RegionConfig, ThermalConfig
from devicehub.driver import Driver
from devicehub.model.device import ChannelKind
from devicehub.model.thermal import RELATIVE, Look
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake

STATISTICS = frozenset({"min", "mean", "max", "p05", "p95"})


def thermal_complaints(config: Config, drivers: Mapping[str, Driver]) -> Iterator[Complaint]:
    """Every mistake of regions and thermal rules. `drivers`: of the devices that have one, by id."""
    ids = [device.id for device in config.device]
    regions: set[tuple[str, str]] = set()
    for number, region in enumerate(config.region):
        path: KeyPath = ("region", number)
        yield from _shape(path, region)
        yield from _device(path, region.device, ids)
        if (region.device, region.name) in regions:
            yield value_mistake((*path, "name"), region.name, f"device '{region.device}' has a region of that name")
        regions.add((region.device, region.name))
    taken = {(limit.device, point.name) for limit in config.limit for point in points_of(limit)}
    for number, rule in enumerate(config.thermal):
        path = ("thermal", number)
        yield from _rule(path, rule)
        yield from _device(path, rule.device, ids)
        yield from _regions(path, rule, regions)
        yield from _channel(path, rule, drivers)
        if (rule.device, rule.name) in taken:
            yield value_mistake((*path, "name"), rule.name, f"device '{rule.device}' has an alarm of that name")
        taken.add((rule.device, rule.name))


def _shape(path: KeyPath, region: RegionConfig) -> Iterator[Complaint]:
    if (region.rectangle is None) == (not region.polygon):
        yield Complaint(path, f"{key_text(path)}: must have either rectangle or polygon")
    elif region.rectangle is not None and 0 in region.rectangle[2:]:
        yield value_mistake((*path, "rectangle"), list(region.rectangle), "width and height must be at least 1")
    elif region.rectangle is None and len(region.polygon) < 3:
        yield value_mistake((*path, "polygon"), [*map(list, region.polygon)], "a polygon has at least three corners")


def _device(path: KeyPath, device: str, ids: list[str]) -> Iterator[Complaint]:
    if device not in ids:
        near = suggestion(device, ids) or "; it must be the id of a [[device]]"
        yield value_mistake((*path, "device"), device, f"no such device{near}")


def _rule(path: KeyPath, rule: ThermalConfig) -> Iterator[Complaint]:
    looks = rule.looks()
    if len(looks) != 1:
        yield Complaint(path, f"{key_text(path)}: must have exactly one of {', '.join(Look)}")
    if (Look.DELTA in looks) != bool(rule.reference):
        yield Complaint((*path, "reference"), f"{key_text(path)}: delta needs a reference, and nothing else has one")
    for look, (limit, high) in looks.items():
        if look in RELATIVE and abs(limit) <= rule.hysteresis:
            yield value_mistake((*path, "hysteresis"), rule.hysteresis, f"must be less than {look} = {abs(limit):g}")
        if look is Look.INTERVAL and limit >= high:
            yield value_mistake((*path, "interval"), [limit, high], "the first must be less than the second")
    if rule.frames > rule.of:
        yield value_mistake((*path, "frames"), rule.frames, f"must be at most of = {rule.of}")
    if rule.name in STATISTICS:
        yield value_mistake((*path, "name"), rule.name, "a statistic of every image goes by that name")


def _regions(path: KeyPath, rule: ThermalConfig, regions: set[tuple[str, str]]) -> Iterator[Complaint]:
    names = [name for device, name in sorted(regions) if device == rule.device]
    for key, name in (("region", rule.region), ("reference", rule.reference)):
        if name and name not in names:
            near = suggestion(name, names) or "; it must be the name of a [[region]] of that device"
            yield value_mistake((*path, key), name, f"no such region{near}")


def _channel(path: KeyPath, rule: ThermalConfig, drivers: Mapping[str, Driver]) -> Iterator[Complaint]:
    driver = drivers.get(rule.device)
    if driver is None:
        return
    images = [channel.name for channel in driver.channels if channel.kind is ChannelKind.IMAGE]
    if rule.channel not in images:
        near = suggestion(rule.channel, images) or f"; driver {driver.name} has {', '.join(images) or 'none'}"
        yield value_mistake((*path, "channel"), rule.channel, f"no such image{near}")
