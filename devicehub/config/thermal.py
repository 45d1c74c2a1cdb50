"""Regions and rules of thermal images: their tables, and what the core makes of them."""

from collections.abc import Iterable, Iterator
from math import ceil, floor
from typing import Annotated, Literal

from pydantic import Field

from devicehub.model.alarm import AlarmCategory, Condition, Limit, Priority
from devicehub.model.thermal import Look, Region, ThermalRule
from devicehub.tomlfile.section import Section, Segment

_Pixel = Annotated[int, Field(ge=0, le=65535)]
_Corner = Annotated[
    tuple[Annotated[float, Field(ge=0, le=65535)], Annotated[float, Field(ge=0, le=65535)]], Field(strict=False)
]


class RegionConfig(Section):
    """A part of a device's image, in pixels from its top left corner."""

    device: Segment = Field(description="Id of a device with an image")
    name: Segment = Field(description="What thermal rules call it")
    rectangle: Annotated[tuple[_Pixel, _Pixel, _Pixel, _Pixel], Field(strict=False)] | None = Field(
        default=None, description="Left, top, width and height"
    )
    polygon: Annotated[tuple[_Corner, ...], Field(strict=False, max_length=64)] = Field(
        default=(), description="Its corners, each [x, y]; a pixel belongs to it if its centre does"
    )


class ThermalConfig(Section):
    """One rule on one thermal image: an alarm point."""

    device: Segment = Field(description="Id of a device")
    channel: Segment = Field(description="A channel that is an image")
    name: Segment = Field(description="Name of the alarm point")
    above: float | None = Field(default=None, description="Alarm where the image is hotter than this")
    below: float | None = Field(default=None, description="Alarm where the image is colder than this")
    interval: Annotated[tuple[float, float], Field(strict=False)] | None = Field(
        default=None, description="Alarm where the image is between these two"
    )
    delta: float | None = Field(
        default=None,
        description="Alarm where it is that much hotter than the median of the reference; negative: colder",
    )
    anomaly: float | None = Field(
        default=None,
        description="Alarm where it is that many times the noise hotter than its surroundings; negative: colder",
    )
    region: str = Field(default="", max_length=64, description="Where to look; empty: the whole image")
    reference: str = Field(default="", max_length=64, description="The region that delta is held against")
    hysteresis: float = Field(default=1.0, ge=0, description="How far back inside the limit ends the alarm")
    area_px: int = Field(default=1, ge=1, description="Pixels of one spot that have to be beyond the limit")
    frames: int = Field(default=6, ge=1, le=1000, description="In how many frames of the last `of` it has to be seen")
    of: int = Field(default=9, ge=1, le=1000, description="Frames that are looked back, shutter frames not counted")
    noise: float = Field(default=0.1, gt=0, description="The least noise that anomaly takes an image to have")
    priority: Literal["critical", "high", "medium", "low"] = Field(
        default="high", description="How urgent the response is"
    )
    category: Literal["threat", "device", "hub", "training"] = Field(default="threat", description="What it is about")
    message: str = Field(default="", max_length=256, description="Key of the text shown; empty: alarm.thermal")
    realarm_s: float = Field(
        default=0.0, ge=0, le=86400, description="Seconds after which a lasting alarm is announced again; 0: never"
    )
    latch: bool = Field(default=False, description="It stays until somebody resets it; a threat always stays")

    def looks(self) -> dict[Look, tuple[float, float]]:
        """What is compared with which limits, the second of which only an interval has. There is to be one."""
        single = {Look.ABOVE: self.above, Look.BELOW: self.below, Look.DELTA: self.delta, Look.ANOMALY: self.anomaly}
        found = {look: (limit, limit) for look, limit in single.items() if limit is not None}
        return found | ({} if self.interval is None else {Look.INTERVAL: self.interval})


def region_of(region: RegionConfig) -> Region:
    """A region whose table is right."""
    if region.rectangle is not None:
        return Region(region.name, region.rectangle)
    columns, rows = zip(*region.polygon, strict=True)
    left, top = floor(min(columns)), floor(min(rows))
    return Region(region.name, (left, top, ceil(max(columns)) - left, ceil(max(rows)) - top), region.polygon)


def rules_of(thermal: Iterable[ThermalConfig], regions: Iterable[RegionConfig]) -> Iterator[ThermalRule]:
    """The rules of tables that are right, in their order."""
    known = {(region.device, region.name): region_of(region) for region in regions}
    for rule in thermal:
        ((look, (limit, high)),) = rule.looks().items()
        yield ThermalRule(
            name=rule.name,
            device=rule.device,
            channel=rule.channel,
            look=look,
            limit=limit,
            high=high,
            hysteresis=rule.hysteresis,
            region=known.get((rule.device, rule.region)),
            reference=known.get((rule.device, rule.reference)),
            area=rule.area_px,
            frames=rule.frames,
            of=rule.of,
            noise=rule.noise,
        )


def point_of(table: ThermalConfig, rule: ThermalRule) -> Limit:
    """The alarm point of a rule: a limit on the value that the rule makes of the last frames."""
    return Limit(
        name=rule.name,
        device=rule.device,
        channel=rule.watched,
        condition=Condition.HIGH if rule.sign > 0 else Condition.LOW,
        limit=rule.sign * rule.on,
        hysteresis=rule.hysteresis,
        priority=Priority(table.priority),
        category=AlarmCategory(table.category),
        message=table.message or "alarm.thermal",
        realarm_s=table.realarm_s,
        latch=table.latch,
    )
