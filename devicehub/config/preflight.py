"""The tables of what devices need before a shift."""

from datetime import date
from math import inf
from typing import Annotated, Literal

from pydantic import Field

from devicehub.config.limits import NO_OR_CHANNEL
from devicehub.model.preflight import CheckKind, KnownSample, Needs
from devicehub.model.reading import Outcome
from devicehub.tomlfile.section import Section, Segment

Left = Annotated[float, Field(ge=0, strict=False)]


class SampleConfig(Section):
    """A sample that is known, and what a device has to find in it: one of outcome, channel and text."""

    name: str = Field(min_length=1, max_length=64, description="What is to be shown, as it is called here")
    outcome: Literal["alarm", "clear"] | None = Field(default=None, description="What the screening comes to")
    finding: str = Field(default="", max_length=64, description="What it names then, as the device or the library does")
    channel: str = Field(
        default="", pattern=NO_OR_CHANNEL, description="A number, or an image's .min, .mean, .max or .p95"
    )
    low: float | None = Field(default=None, description="What the channel shows then at least")
    high: float | None = Field(default=None, description="And at most")
    text: str = Field(default="", max_length=256, description="What is read from it, as it is")
    within_s: float = Field(default=60.0, ge=1, le=900, description="Seconds that it may take")


class PreflightConfig(Section):
    """What one device needs before a shift. A device without such a table is never passed."""

    device: Segment = Field(description="Id of a device")
    calibration_due: date | None = Field(
        default=None, description="Last day of its calibration or verification; none: it needs none"
    )
    consumables: dict[str, Left] = Field(
        default_factory=dict, description="Channels that count what is used up, and the least that must be left"
    )
    sample: SampleConfig | None = Field(default=None, description="What it is shown; none: it is shown nothing")
    without: Annotated[tuple[Literal["self-test", "detection", "consumable", "sample"], ...], Field(strict=False)] = (
        Field(default=(), description="Checks that the site does without where nobody can tell")
    )


def needs(config: PreflightConfig) -> Needs:
    """What the hub goes by."""
    return Needs(
        due="" if config.calibration_due is None else config.calibration_due.isoformat(),
        consumables=tuple(config.consumables.items()),
        sample=None if config.sample is None else _sample(config.sample),
        waived=tuple(CheckKind(one) for one in config.without),
    )


def _sample(one: SampleConfig) -> KnownSample:
    return KnownSample(
        name=one.name,
        within=one.within_s,
        outcome=None if one.outcome is None else Outcome(one.outcome),
        finding=one.finding,
        channel=one.channel,
        low=-inf if one.low is None else one.low,
        high=inf if one.high is None else one.high,
        text=one.text,
    )
