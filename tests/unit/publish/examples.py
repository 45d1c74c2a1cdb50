"""Messages of every kind, some of them at the edges, for the tests of the envelope and the contract."""

from msgspec.structs import replace

from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Priority
from devicehub.model.command import CommandState
from devicehub.model.device import ChannelKind, DeviceState
from devicehub.model.gap import GapReason
from devicehub.model.inspection import Ending, InspectionOutcome, OpenedBy
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import (
    AlarmData,
    AnswerData,
    AnyPayload,
    AxisData,
    CapabilityData,
    CapabilityItem,
    CaptureData,
    ChannelData,
    CommandEventData,
    DescribeData,
    DeviceData,
    DeviceEventData,
    FrameData,
    GapData,
    HealthData,
    HubEventData,
    InfoData,
    InspectionData,
    LaneData,
    LaneState,
    LimitsData,
    PeakData,
    PreflightCheckData,
    PreflightData,
    ReadingData,
    RequiredData,
    ResultData,
    ScanData,
    SpectrumData,
    SpotData,
    StatusData,
    StreamData,
    TextData,
    VerdictData,
)
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, PreflightOutcome
from devicehub.model.reading import Cause, Layout, Level, Outcome, Quality, Radiometric, Shutter
from devicehub.model.units import Unit
from devicehub.publish.topics import RULES, stream_of

ULID = "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4"
AT = "2026-11-23T09:14:07.412Z"
TIME = 1_795_425_247.412
DIGEST = "sha256:" + "5e" * 32


def message(
    kind: Kind, data: AnyPayload | None, *, kind_of: str = "", device: str = "trace-1", point: str = "tnt"
) -> Message:
    """A message of `kind`; `kind_of` is its type where that is not the kind."""
    return Message(kind=kind, type=kind_of or kind, id=ULID, time=TIME, mono=1.0, data=data, device=device, point=point)


def place(one: Message, number: int = 1, recorded: float = 2.0) -> Place:
    """Where a journal would store a message."""
    numbered = RULES[one.kind].numbered
    return Place("0a1b2c3d", stream_of(one), number if numbered else None, 70000 + number, recorded)


def reading(value: float | None = 1.84) -> ReadingData:
    return ReadingData(
        value=value,
        unit=Unit.NANOGRAM,
        quality=Quality.GOOD,
        uncertainty=0.2,
        confidence=0.93,
        limits=LimitsData(high=1.0),
    )


def alarm() -> AlarmData:
    return AlarmData(
        alarm=ULID,
        revision=1,
        state=AlarmState.UNACK_ACTIVE,
        priority=Priority.CRITICAL,
        category=AlarmCategory.THREAT,
        condition=Condition.HIGH,
        message=TextData("alarm.trace.explosive", {"substance": "TNT"}),
        raised=AT,
        rules_digest=DIGEST,
        value=1.84,
        limit=1.0,
        unit=Unit.NANOGRAM,
        latched=True,
    )


STREAM = StreamData("7f3a91c2", 9, 8, 7, 6, {"archive": 6})


def hub_messages() -> list[Message]:
    """What the hub says of itself."""
    health = HealthData(
        1.0, 2.0, 3.0, 4, 5, 6, 7, 8, 9, None, 9.5, 10.5, 11, 12, None, {"alarms": STREAM}, 1, 2, 3, None, None, None
    )
    info = InfoData("0.1", "7f3a91c2", DIGEST, 1, ("atom-fast",), ("trace-1",), "ntp", AT)
    gap = GapData("journal", GapReason.REFUSED, count=3, first=1, last=3, since=AT, until=AT)
    start = InspectionData(ULID, "desk-1", AT, AT, OpenedBy.SCAN, ("trace-1",), "trace-1", subject="hmac-sha256:00")
    verdict = VerdictData(AT, "trace-1", Outcome.INCONCLUSIVE, Cause.UNCALIBRATED)
    end = replace(start, ended=AT, reason=Ending.CLOSED, outcome=InspectionOutcome.DOUBTFUL, results=(verdict,))
    swabs = PreflightCheckData(
        "trace-1", CheckKind.CONSUMABLE, CheckVerdict.FAILED, "swabs", CheckReason.TOO_LITTLE, value=3.0, least=20.0,
        unit=Unit.SWAB,
    )  # fmt: skip
    looked = PreflightData(
        ULID, "desk-1", AT, AT, "op-1", "c-1", ("trace-1",), (), (swabs,), AT, PreflightOutcome.FAILED
    )
    required = RequiredData("explosives", Level.NONE, Cause.NO_DEVICE)
    lane = LaneData(LaneState.BLIND, AT, (required,), {Priority.HIGH: 1}, why="explosives: none (no-device)")
    return [
        message(Kind.INSPECTION, start, device="desk-1", point=""),
        message(Kind.EVENT, end, kind_of="inspection.ended", device="desk-1", point=""),
        message(Kind.EVENT, looked, kind_of="preflight.ended", device="desk-1", point=""),
        message(Kind.LANE, lane, device="", point=""),
        message(Kind.EVENT, lane, kind_of="lane.changed", device="", point=""),
        message(Kind.STATUS, StatusData("online", AT, "7f3a91c2", "broker-acked"), device="", point=""),
        message(Kind.INFO, info, device="", point=""),
        message(Kind.HEALTH, health, device="", point=""),
        message(Kind.GAP, gap, device="", point=""),
        message(Kind.EVENT, HubEventData("started"), kind_of="hub.started", device="", point=""),
    ]


def device_messages() -> list[Message]:
    """What a device is and how it does."""
    channel = ChannelData("tnt", "TNT", Unit.NANOGRAM, ChannelKind.MEASUREMENT, low=0.0)
    describe = DescribeData("trace", "Trace detector", "trace", (channel,), ("explosives",), facts={"firmware": "1"})
    capability = CapabilityData((CapabilityItem("explosives", Level.DEGRADED, Cause.WARMING_UP),))
    event = DeviceEventData("trace-1", "lost", "unplugged")
    return [
        message(Kind.DESCRIBE, describe, point=""),
        message(Kind.DEVICE, DeviceData(DeviceState.LOST, AT, "unplugged", {"checksum": 2}), point=""),
        message(Kind.CAPABILITY, capability, point=""),
        message(Kind.STATE, {"tnt": 1.84, "phase": "idle", "rdx": None}, point=""),
        message(Kind.EVENT, event, kind_of="device.lost", point=""),
    ]


def measured_messages() -> list[Message]:
    """What a device measured, and what followed from it."""
    spectrum = SpectrumData(
        n=2, unit=Unit.COUNT, axis=AxisData(Unit.KILOELECTRONVOLT, 3.0), layout=Layout.U8, values=b"\x00\xff", max=255.0,
        apex=3.0, quality=Quality.GOOD,
    )  # fmt: skip
    frame = FrameData(
        n=90114, width=256, height=192, unit=Unit.CELSIUS, radiometric=Radiometric.TRUE, shutter=Shutter.OPEN,
        quality=Quality.GOOD, digest=DIGEST, max=41.3, hot=SpotData(143, 88, 41.3),
    )  # fmt: skip
    result = ResultData(Outcome.ALARM, "swab-7", 8.0, (PeakData("TNT", 1.45, Unit.REDUCED_MOBILITY, 0.7),))
    return [
        message(Kind.READING, reading()),
        message(Kind.READING, reading(None)),
        message(Kind.READING, (reading(), reading(0.0)), point=""),
        message(Kind.READING, (), point=""),
        message(Kind.READING, spectrum),
        message(Kind.FRAME, frame),
        message(Kind.RESULT, result, point=""),
        message(Kind.CAPTURE, CaptureData(DIGEST, 1024, "image/jpeg", "captures/5e", "operator", 640, 480)),
        message(Kind.SCAN, ScanData("QR", "barcode", "hmac-sha256:00", 12, Quality.GOOD)),
        message(Kind.ALARM, alarm(), kind_of="alarm.raised", point="tnt-high"),
        message(Kind.EVENT, alarm(), kind_of="alarm.raised", point="tnt-high"),
    ]


def command_messages() -> list[Message]:
    """What became of a command, for whoever gave it and for the record."""
    answer = AnswerData(
        "c-1", "op-1147", "trace-1", "identify", CommandState.DONE, "given before", {"n": 1.0, "ok": True}
    )
    record = CommandEventData("", "", "", "", CommandState.REJECTED, "it was retained", args={"x": [1, {"y": None}]})
    return [
        message(Kind.RES, answer, kind_of="command.done", point="identify"),
        message(Kind.EVENT, record, kind_of="command", device="", point=""),
    ]


def messages() -> list[Message]:
    """All of them."""
    return hub_messages() + device_messages() + measured_messages() + command_messages()
