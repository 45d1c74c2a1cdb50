"""The table of a limit: the conditions on one channel, and what holds for each of their alarm points."""

from typing import Annotated, Literal

from pydantic import Field

from devicehub.tomlfile.section import Section, Segment

CHANNEL = r"^[a-z0-9-]{1,64}(\.[a-z0-9]{1,16})?$"
NO_OR_CHANNEL = f"^$|{CHANNEL}"
REFERENCE = r"^(([a-z0-9-]{1,64}/)?[a-z0-9-]{1,64}(\.[a-z0-9]{1,16})?)?$"

Urgency = Literal["critical", "high", "medium", "low"]


class LimitConfig(Section):
    """Conditions of one kind on one channel; each is an alarm point."""

    device: Segment = Field(description="Id of a device")
    channel: str = Field(pattern=CHANNEL, description="A numeric channel, or an image's .min, .mean, .max or .p95")
    high: float | None = Field(default=None, description="Alarm above this value")
    low: float | None = Field(default=None, description="Alarm below this value")
    high_high: float | None = Field(default=None, description="A second alarm above this value")
    low_low: float | None = Field(default=None, description="A second alarm below this value")
    rise: float | None = Field(default=None, gt=0, description="Alarm when it grows by more than this in a second")
    fall: float | None = Field(default=None, gt=0, description="Alarm when it shrinks by more than this in a second")
    deviation: float | None = Field(default=None, gt=0, description="Alarm when it is further than this from reference")
    reference: str = Field(default="", pattern=REFERENCE, description="Channel of the same device, or device/channel")
    states: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="Alarm when the channel is in one of these states"
    )
    stale_s: float | None = Field(
        default=None, ge=1, le=86400, description="Alarm when no good value came for more than these seconds"
    )
    hysteresis: float = Field(default=0.0, ge=0, description="How far back inside the limit ends the alarm")
    window_s: float = Field(
        default=10.0, gt=0, le=3600, description="Seconds that a rate is taken over, and that a reference counts"
    )
    count: int = Field(default=1, ge=1, le=32, description="How many of the last values must say so")
    of: int = Field(default=1, ge=1, le=32, description="How many values are the last ones")
    distrust: Literal["judge", "raise", "ignore"] = Field(
        default="judge", description="What a value that cannot be trusted does; it never ends an alarm"
    )
    priority: Urgency = Field(default="high", description="How urgent the response is")
    outer_priority: Urgency = Field(default="critical", description="The same for high_high and low_low")
    category: Literal["threat", "device", "hub", "training"] = Field(default="threat", description="What it is about")
    name: str = Field(
        default="", pattern="^[a-z0-9-]{0,64}$", description="Name of the alarm point; empty: channel-high or -low"
    )
    message: str = Field(default="", max_length=256, description="Key of the text shown; empty: alarm.limit")
    on_delay_s: float = Field(default=0.0, ge=0, le=3600, description="Seconds beyond the limit before it is an alarm")
    off_delay_s: float = Field(default=0.0, ge=0, le=3600, description="Seconds back inside before the condition ends")
    realarm_s: float = Field(
        default=0.0, ge=0, le=86400, description="Seconds after which a lasting alarm is announced again; 0: never"
    )
    latch: bool = Field(default=False, description="It stays until somebody resets it; a threat always stays")
