"""Rules for what a thermal camera sees, as data: where to look, and what is one alarm point's condition."""

from enum import StrEnum
from math import inf

from msgspec import Struct

from devicehub.model.units import Unit


class Look(StrEnum):
    """What a rule compares. The last two are relative: they need no calibrated temperatures."""

    ABOVE = "above"
    BELOW = "below"
    INTERVAL = "interval"
    DELTA = "delta"
    ANOMALY = "anomaly"


RELATIVE = frozenset({Look.DELTA, Look.ANOMALY})


class Unjudged(StrEnum):
    """Why a rule was not held against a frame. Such a frame neither raises nor ends an alarm."""

    SHUTTER = "shutter"
    FROZEN = "frozen"
    NOT_RADIOMETRIC = "not-radiometric"
    NO_PIXELS = "no-pixels"
    OUTSIDE = "outside"


class Region(Struct, frozen=True):
    """A part of an image, in pixels from its top left corner.

    `bbox`: left, top, width and height. `corners` of a polygon inside it, none for the rectangle itself; a pixel
    belongs to a polygon if its centre does.
    """

    name: str
    bbox: tuple[int, int, int, int]
    corners: tuple[tuple[float, float], ...] = ()


class ThermalRule(Struct, frozen=True, kw_only=True):
    """One rule on one image channel of one device: the alarm point `name`.

    `limit`: temperature for ABOVE and BELOW, the lower end for INTERVAL (`high` is the upper one), signed kelvins from
    the median of `reference` for DELTA, signed multiples of the local noise for ANOMALY; negative is colder.
    `area`: pixels of one spot that have to be beyond it. The condition is there when `frames` of the last `of`
    frames that could be judged say so. Without `region` the whole image is looked at. `noise`: what ANOMALY takes for
    the least noise of an image.
    """

    name: str
    device: str
    channel: str
    look: Look
    limit: float
    high: float = inf
    hysteresis: float = 0.0
    region: Region | None = None
    reference: Region | None = None
    area: int = 1
    frames: int = 1
    of: int = 1
    noise: float = 0.1

    @property
    def sign(self) -> float:
        """-1.0 where less is more alarming."""
        colder = self.look is Look.BELOW or (self.look in RELATIVE and self.limit < 0)
        return -1.0 if colder else 1.0

    @property
    def on(self) -> float:
        """The score beyond which there is something; a score is a value that rises with what is alarming."""
        return 0.0 if self.look is Look.INTERVAL else self.sign * self.limit

    @property
    def off(self) -> float:
        """The score at and below which there is nothing any more."""
        return self.on - self.hysteresis

    @property
    def watched(self) -> str:
        """The channel that the rule makes of the image."""
        return f"{self.channel}.{self.name}"

    def unit(self, image: Unit) -> Unit:
        """The unit of its value, from that of the image."""
        if self.look is Look.ANOMALY:
            return Unit.ONE
        difference = self.look in {Look.DELTA, Look.INTERVAL}
        return Unit.KELVIN if difference and image is Unit.CELSIUS else image
