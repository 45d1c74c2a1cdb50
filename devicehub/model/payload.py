"""The `data` of every message kind. The one definition of what goes over the wire.

The published JSON Schema is generated from these structs, the encoder encodes these structs, and
nothing else describes them: they cannot drift apart. Fields at their default are left out on the
wire. A value that is not a number is published as null with quality BAD, never as NaN.
"""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.device import ChannelKind, DeviceState, EvidenceLevel
from devicehub.model.gap import GapReason
from devicehub.model.payload_alarm import (
    ActData,
    AlarmData,
    AlarmStatisticsData,
    AuditData,
    DispositionData,
    FloodData,
    RateData,
    RulesData,
    ShadowData,
    ShelvingData,
    TimedData,
)
from devicehub.model.payload_command import AnswerData, CommandData, CommandEventData
from devicehub.model.payload_frame import CaptureData, FrameData, RegionData, SpotData
from devicehub.model.payload_health import HealthData, StreamData
from devicehub.model.payload_inspection import (
    BlindData,
    CheckedData,
    DeskData,
    ImageData,
    InspectionData,
    MetAlarmData,
    MissingData,
    VerdictData,
)
from devicehub.model.payload_lane import LaneData, LaneState, RequiredData
from devicehub.model.payload_preflight import PreflightCheckData, PreflightData
from devicehub.model.payload_result import IdentifiedData, ModeData, PeakData, ResultData, Source
from devicehub.model.payload_stored import Historical, StoredData
from devicehub.model.payload_texts import Digest, Instant, Segment, TextData
from devicehub.model.reading import Cause, Layout, Level, Quality
from devicehub.model.units import Unit

__all__ = [
    "ActData",
    "AlarmData",
    "AlarmStatisticsData",
    "AnswerData",
    "AuditData",
    "BlindData",
    "CaptureData",
    "CheckedData",
    "CommandData",
    "CommandEventData",
    "DeskData",
    "Digest",
    "DispositionData",
    "FloodData",
    "FrameData",
    "HealthData",
    "IdentifiedData",
    "ImageData",
    "InspectionData",
    "Instant",
    "LaneData",
    "LaneState",
    "MetAlarmData",
    "MissingData",
    "ModeData",
    "PeakData",
    "PreflightCheckData",
    "PreflightData",
    "RateData",
    "RegionData",
    "RequiredData",
    "ResultData",
    "RulesData",
    "Segment",
    "ShadowData",
    "ShelvingData",
    "Source",
    "SpotData",
    "StoredData",
    "StreamData",
    "TextData",
    "TimedData",
    "VerdictData",
]


class Payload(Struct, frozen=True, omit_defaults=True):
    """Root of the payloads of this module."""


class StatusData(Payload, frozen=True):
    """The hub itself. `lost` is the MQTT will."""

    state: Annotated[str, Meta(pattern="^(online|offline|lost)$")]
    since: Instant | None = None
    boot: str = ""
    delivery: Annotated[
        str,
        Meta(
            description="What an acknowledgement proves: broker-acked, or unverified (MQTT 3.1.1, or a broker that "
            "brings nothing back); refused while the broker takes only a part"
        ),
    ] = ""
    accepting: Annotated[bool, Meta(description="False while the disk takes no events: nothing new is safe")] = True
    unheard: Annotated[
        bool, Meta(description="True while messages are taken that nobody is subscribed to; MQTT 5 brokers tell")
    ] = False
    epoch: Annotated[str, Meta(description="Of the journal, which receipts name; another is of a former journal")] = ""


class InfoData(Payload, frozen=True):
    """What runs here."""

    version: str
    boot: str
    config_digest: str
    schema_version: int
    drivers: tuple[str, ...]
    devices: tuple[str, ...]
    clock_source: str
    started: Instant
    schemas: tuple[str, ...] = ()
    commands: Annotated[tuple[CommandData, ...], Meta(description="What the hub itself can be told")] = ()
    rules: Annotated[RulesData | None, Meta(description="By what alarms of limits and thermal rules come")] = None
    shadow: Annotated[RulesData | None, Meta(description="Rules that are only tried, beside those")] = None
    desks: Annotated[tuple[DeskData, ...], Meta(description="Where inspections happen")] = ()


class ChannelData(Payload, frozen=True):
    """One declared channel."""

    name: Segment
    title: str
    unit: Unit
    kind: ChannelKind
    low: float | None = None
    high: float | None = None
    resolution: float | None = None
    states: tuple[str, ...] = ()


class DescribeData(Payload, frozen=True):
    """What a device is and can do. Identity is never a port name."""

    driver: str
    title: str
    category: str
    channels: tuple[ChannelData, ...]
    capabilities: tuple[str, ...] = ()
    integrity: str = "none"
    usb: str = ""
    serial: str = ""
    address: str = ""
    facts: dict[str, str] = {}
    commands: tuple[CommandData, ...] = ()
    evidence: Annotated[EvidenceLevel, Meta(description="What the tests of its driver rest on")] = (
        EvidenceLevel.UNTESTED
    )
    self_tests: Annotated[bool, Meta(description="It tests itself and says when it has failed, as a cause")] = False


class DeviceData(Payload, frozen=True):
    """State of one device as the hub sees it. `errors`: counts by reason since the hub started.

    `last_fault`: the newest of them, with its detail.
    """

    state: DeviceState
    since: Instant
    why: str = ""
    errors: dict[str, int] = {}
    losses: int = 0
    battery: float | None = None
    last_fault: str = ""


class CapabilityItem(Payload, frozen=True):
    """One detection capability."""

    name: str
    level: Level
    cause: Cause = Cause.NONE


class CapabilityData(Payload, frozen=True):
    """What the device can detect at this moment. Silence is never "clear"."""

    capabilities: tuple[CapabilityItem, ...]


class LimitsData(Payload, frozen=True):
    """The limits in force for a channel."""

    low: float | None = None
    high: float | None = None


class ReadingData(Payload, frozen=True):
    """One measurement at full fidelity. `channel` is given inside a batch only."""

    value: float | None
    unit: Unit
    quality: Quality
    cause: Cause = Cause.NONE
    label: str = ""
    channel: str = ""
    uncertainty: float | None = None
    confidence: float | None = None
    limits: LimitsData | None = None
    device_time: float | None = None
    historical: Historical = False
    stored: StoredData | None = None


class AxisData(Payload, frozen=True):
    """`x(i) = start + step * i + quadratic * i**2`."""

    unit: Unit
    step: float
    start: float = 0.0
    quadratic: float = 0.0


class DriftData(Payload, frozen=True):
    """What the instrument says of its drift tube at a scan, and the calibrant that K0 is relative to."""

    length_cm: float
    voltage: float
    kelvin: float
    hectopascal: float
    calibrant: str
    calibrant_k0: float


class SpectrumData(Payload, frozen=True):
    """A spectrum at full fidelity: `values` are base64 of the raw layout.

    `run`: the screening that it is part of, and its `index` in it; `idle`: a blank between two runs.
    """

    n: int
    unit: Unit
    axis: AxisData
    layout: Layout
    values: bytes
    max: float | None
    apex: float | None
    quality: Quality
    mode: str = ""
    cause: Cause = Cause.NONE
    live_time: float | None = None
    device_time: float | None = None
    run: str = ""
    index: int | None = None
    idle: bool = False
    drift: DriftData | None = None
    defects: Annotated[
        tuple[str, ...], Meta(description="What is wrong with the file that it stands in; nothing was repaired")
    ] = ()
    historical: Historical = False
    stored: StoredData | None = None


class ScanData(Payload, frozen=True):
    """A scanned identifier. By default only a keyed hash (HMAC-SHA-256) of its text is published, as it was read."""

    symbology: str
    kind: str
    hash: str
    length: int
    quality: Quality
    cause: Cause = Cause.NONE
    valid: bool | None = None
    document_type: str = ""
    issuer: str = ""
    expiry: str = ""
    text: str = ""
    device_time: float | None = None
    repaired: Annotated[int, Meta(description="Misread digits put right; its check digits hold only then")] = 0


class DeviceEventData(Payload, frozen=True):
    """A device came, went, broke or was used: `what` is a word of the field, `why` a sentence."""

    device: Segment
    what: str
    why: str = ""
    reason: str = ""


class HubEventData(Payload, frozen=True):
    """Something happened to the hub itself: started, stopped, clock stepped, configuration loaded.

    `seconds`: how far a clock was set forward, or back where it is negative.
    """

    what: str
    why: str = ""
    seconds: float | None = None


class GapData(Payload, frozen=True):
    """Something was not accepted or was dropped: what, how much, why, between when and when.

    `stream`: a device, `hub`, or a stream of journalled messages. For the latter `epoch` and `ranges` say which
    sequence numbers will not come by themselves: a consumer that counts goes on behind them.

    One of a device without `until` says that its data are missing from `since` until further notice. It ends with
    the one of the same `since`, or with the hub itself: a gap of `hub` is one of every device.
    """

    stream: Segment
    reason: GapReason
    count: Annotated[int | None, Meta(description="How many were not accepted, where known")] = None
    faults: Annotated[
        dict[str, int], Meta(description="Of these, the frames of a device that were refused, by reason")
    ] = {}
    first: int | None = None
    last: int | None = None
    epoch: str = ""
    ranges: Annotated[tuple[tuple[int, int], ...], Meta(description="First and last number of each hole")] = ()
    since: Instant | None = None
    until: Instant | None = None


StateData = dict[str, float | str | None]
AnyPayload = (
    StatusData
    | InfoData
    | HealthData
    | DescribeData
    | DeviceData
    | CapabilityData
    | LaneData
    | InspectionData
    | PreflightData
    | ReadingData
    | tuple[ReadingData, ...]
    | SpectrumData
    | FrameData
    | CaptureData
    | ScanData
    | ResultData
    | AlarmData
    | FloodData
    | AlarmStatisticsData
    | RulesData
    | ShadowData
    | DeviceEventData
    | HubEventData
    | GapData
    | AnswerData
    | CommandEventData
    | StateData
)
