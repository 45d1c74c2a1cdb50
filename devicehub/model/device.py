"""What a device is: its category, channels, options, states and identity."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from devicehub.model.units import Unit


class Category(StrEnum):
    """The families of equipment; also the folder names below `drivers/`.

    SCREENING: whatever screens people and goods and is known by its files, its lines or its operator's word alone.
    """

    THERMAL = "thermal"
    TRACE = "trace"
    SCANNER = "scanner"
    ENDOSCOPE = "endoscope"
    RADIATION = "radiation"
    SCREENING = "screening"


class ChannelKind(StrEnum):
    """What a channel yields. STATE is a measurement whose value counts into `Channel.states`."""

    MEASUREMENT = "measurement"
    STATE = "state"
    SPECTRUM = "spectrum"
    IMAGE = "image"
    SCAN = "scan"


class DeviceState(StrEnum):
    """The hub's view of one device. LOST after having been READY, OFFLINE before."""

    OFFLINE = "offline"
    READY = "ready"
    BUSY = "busy"
    DEGRADED = "degraded"
    LOST = "lost"
    FAULTED = "faulted"


class EvidenceLevel(StrEnum):
    """What a driver's tests rest on, from the weakest up. Computed from the tests, never declared.

    SIMULATED: a simulator; that of a device file is made of the same description. BYTE_TESTED: answers that are printed
    in a public source. SAMPLE_TESTED: bytes that a real device sent to somebody. BENCH_TESTED: a conversation of this
    driver with a real device. FIELD_VERIFIED: such a conversation where the device is in service. UNTESTED: nothing is
    known.
    """

    UNTESTED = "untested"
    SIMULATED = "simulated"
    BYTE_TESTED = "byte-tested"
    SAMPLE_TESTED = "sample-tested"
    BENCH_TESTED = "bench-tested"
    FIELD_VERIFIED = "field-verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One thing a device measures. Values outside `low`..`high` are physically impossible, hence BAD."""

    name: str
    title: str
    unit: Unit = Unit.ONE
    kind: ChannelKind = ChannelKind.MEASUREMENT
    low: float = -inf
    high: float = inf
    resolution: float | None = None
    states: tuple[str, ...] = ()

    def holds(self, value: float) -> bool:
        """Whether it is a number and physically possible."""
        return self.low <= value <= self.high and isfinite(value)


OptionValue = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A setting of a driver that a site may change. Its type is the type of `default`."""

    name: str
    title: str
    default: OptionValue
    low: float = -inf
    high: float = inf
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsbId:
    """USB vendor and product number."""

    vendor: int
    product: int

    def __str__(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"
