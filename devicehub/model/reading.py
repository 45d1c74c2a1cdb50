"""What a device said, normalised: samples as a protocol yields them, readings as the session stamps them.

A sample has no device and no time of the host: the session adds both. `device_time` is what the device's own clock
said, in seconds of UTC since 1970. Pixel and spectrum data stay `bytes` with a named layout, so that this layer needs
no numpy, samples compare and hash, and a view costs nothing (`numpy.frombuffer`).
"""

from enum import StrEnum

from msgspec import Struct

from devicehub.model.alarm import AlarmCategory, Condition, Priority
from devicehub.model.device import DeviceState
from devicehub.model.drift import Drift
from devicehub.model.errors import Reason
from devicehub.model.units import Unit


class Quality(StrEnum):
    """How far a value can be trusted. BAD may raise an alarm and never clears one."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Cause(StrEnum):
    """Why a value is not GOOD, or why a detection capability is not full."""

    NONE = ""
    WARMING_UP = "warming-up"
    CALIBRATING = "calibrating"
    UNCALIBRATED = "uncalibrated"
    SATURATED = "saturated"
    BLOCKED = "blocked"
    STALE = "stale"
    SELF_TEST_FAILED = "self-test-failed"
    NOT_A_NUMBER = "not-a-number"
    OUT_OF_RANGE = "out-of-range"
    CHECKSUM = "checksum"
    DUPLICATE = "duplicate"
    LOW_EMISSIVITY = "low-emissivity"
    APPROXIMATE = "approximate"
    CONTAMINATED = "contaminated"
    NO_REACTANT = "no-reactant"
    MAINTENANCE = "maintenance"
    BATTERY_LOW = "battery-low"
    UNAUTHENTICATED = "unauthenticated"
    UNTESTED = "untested"
    NOT_CONNECTED = "not-connected"
    FAULT = "fault"
    CARRY_OVER = "carry-over"
    OTHER_SCALE = "other-scale"
    EXCLUDED = "excluded"
    INCOMPLETE = "incomplete"
    NO_DEVICE = "no-device"
    INCONSISTENT = "inconsistent"


class Radiometric(StrEnum):
    """Whether the pixels of an image are temperatures."""

    TRUE = "true"
    APPROXIMATE = "approximate"
    NONE = "none"


class Shutter(StrEnum):
    """State of a thermal camera's shutter (flat-field correction)."""

    OPEN = "open"
    CLOSED = "closed"
    SETTLING = "settling"


class Layout(StrEnum):
    """How `data` bytes hold the values of an image or spectrum."""

    U8 = "u8"
    U16LE = "u16le"
    I16LE = "i16le"
    U32LE = "u32le"
    F32LE = "f32le"
    JPEG = "jpeg"
    PNG = "png"
    H264 = "h264"

    @property
    def encoded(self) -> bool:
        """Whether `data` is a picture as it was encoded, of which no pixel is decoded here."""
        return self in {Layout.JPEG, Layout.PNG, Layout.H264}


class Level(StrEnum):
    """How much of a detection capability is available. Silence is never "clear"."""

    FULL = "full"
    DEGRADED = "degraded"
    NONE = "none"


class Outcome(StrEnum):
    """Verdict of one finished screening."""

    CLEAR = "clear"
    ALARM = "alarm"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


class Measurement(Struct, frozen=True):
    """One value of one channel, in the channel's unit. `label` names the state of an enumerated channel."""

    channel: str
    value: float
    quality: Quality = Quality.GOOD
    cause: Cause = Cause.NONE
    label: str = ""
    uncertainty: float | None = None
    confidence: float | None = None
    device_time: float | None = None


class Axis(Struct, frozen=True):
    """The abscissa of a spectrum: `x(i) = start + step * i + quadratic * i**2`, in `unit`."""

    unit: Unit
    step: float
    start: float = 0.0
    quadratic: float = 0.0


class Spectrum(Struct, frozen=True):
    """Counts or intensities over an axis: a plasmagram, a gamma spectrum.

    `run`: the screening that it is part of, empty for none, and `index` its number in it, from 0, where the device
    counts. `idle`: a blank between two runs. `drift`: of a plasmagram, where the device says so. `defects`: what is
    wrong with the file that it stands in, in words; nothing of it was repaired.
    """

    channel: str
    data: bytes
    layout: Layout
    axis: Axis
    mode: str = ""
    live_time: float | None = None
    quality: Quality = Quality.GOOD
    cause: Cause = Cause.NONE
    device_time: float | None = None
    run: str = ""
    index: int | None = None
    idle: bool = False
    drift: Drift | None = None
    defects: tuple[str, ...] = ()


class Image(Struct, frozen=True):
    """One frame. For a raw layout, value in the channel's unit = `gain * pixel + offset`.

    `data` of a JPEG or PNG is the file exactly as received; of H.264 a key frame and frames behind it, in
    Annex B. `original` is what the device sent where `data` was computed from it: that is what is kept as evidence.
    `counter` is the device's own frame number. `run`: the screening that it is part of, empty for none.
    """

    channel: str
    data: bytes
    layout: Layout
    width: int
    height: int
    gain: float = 1.0
    offset: float = 0.0
    radiometric: Radiometric = Radiometric.NONE
    shutter: Shutter = Shutter.OPEN
    emissivity: float | None = None
    counter: int | None = None
    original: bytes = b""
    run: str = ""
    quality: Quality = Quality.GOOD
    cause: Cause = Cause.NONE
    device_time: float | None = None


class Scan(Struct, frozen=True):
    """A barcode, machine-readable zone or tag. Personal data: never published as such by default."""

    channel: str
    symbology: str
    data: bytes
    quality: Quality = Quality.GOOD
    cause: Cause = Cause.NONE
    device_time: float | None = None


class Capability(Struct, frozen=True):
    """The device's own word on what it can detect at this moment."""

    name: str
    level: Level
    cause: Cause = Cause.NONE


class Identity(Struct, frozen=True):
    """What the device reports about itself, as text: serial, firmware, calibration date, ..."""

    facts: tuple[tuple[str, str], ...]


class Trigger(Struct, frozen=True):
    """An operator's act on the device: snapshot button, scan trigger. One per rising edge. `note`: a reservation."""

    name: str
    note: str = ""


class DeviceAlarm(Struct, frozen=True):
    """An alarm that the device itself raised or cleared; kept apart from the hub's own.

    `category`: THREAT for what it detects, DEVICE for what is wrong with it. `condition` and `priority` are for the
    core alone, which raises alarms in a device's stead: on what it scanned, on what the hub found in what it sent.
    """

    point: str
    active: bool
    text: str = ""
    value: float | None = None
    category: AlarmCategory = AlarmCategory.THREAT
    condition: Condition = Condition.DEVICE
    priority: Priority = Priority.HIGH


class Peak(Struct, frozen=True):
    """One peak of a screening, named where the device or the library names it."""

    name: str
    position: float
    unit: Unit
    amplitude: float
    confidence: float | None = None


class Identified(Struct, frozen=True):
    """What a screening names without a peak to show for it: a nuclide, a substance, an object.

    `confidence`: 0 to 1. `group`: what it belongs to, as the device words it.
    """

    name: str
    confidence: float | None = None
    group: str = ""


class Result(Struct, frozen=True):
    """One finished screening: a swab run, a sweep. Clear runs count: they are the denominator.

    `sample_id`: the `run` of its spectra, or what was screened. `scans`: how many of them the device says it sent.
    `note`: in the words of whoever screened. `operator`: who entered it, where a person did. `defects`: what is wrong
    with the file that it stands in, in words; nothing of it was repaired.
    """

    outcome: Outcome
    sample_id: str = ""
    duration: float | None = None
    peaks: tuple[Peak, ...] = ()
    cause: Cause = Cause.NONE
    scans: int | None = None
    identified: tuple[Identified, ...] = ()
    note: str = ""
    operator: str = ""
    defects: tuple[str, ...] = ()
    device_time: float | None = None


class Stored(Struct, frozen=True):
    """One record of the device's memory: what it measured before anybody listened.

    `record`: the device's own id of it, which it uses once. `age`: how many of the device's own seconds ago that was.
    `clock`: what its clock says now, in seconds of UTC since 1970; None where it has none. `kept`: it stays in the
    device's memory and is told again whenever that is read; else the device hands it over once.
    """

    record: str
    age: float
    sample: Measurement | Spectrum | Result
    clock: float | None = None
    kept: bool = True


Sample = Measurement | Spectrum | Image | Scan | Capability | Identity | Trigger | DeviceAlarm | Result | Stored


class Stamp(Struct, frozen=True):
    """When: seconds of UTC since 1970, and seconds of the monotonic clock. Durations use `mono` only."""

    utc: float
    mono: float


class Reading(Struct, frozen=True):
    """A sample with its device and the host's time of arrival."""

    device: str
    at: Stamp
    sample: Sample


class Fault(Struct, frozen=True):
    """Bytes that a device's protocol refused, `count` times; `detail` of the last.

    `since`: when the first of several was; None where there is only one.
    """

    device: str
    at: Stamp
    reason: Reason
    detail: str = ""
    count: int = 1
    since: Stamp | None = None


class Change(Struct, frozen=True):
    """The supervisor's view of a device changed. `facts` names what the link itself knows: USB id, serial."""

    device: str
    at: Stamp
    state: DeviceState
    why: str = ""
    facts: tuple[tuple[str, str], ...] = ()


class Dropped(Struct, frozen=True):
    """`count` readings of a device, from `since` to `at`, were not accepted because the pipe was full."""

    device: str
    at: Stamp
    since: Stamp
    count: int


class Tick(Struct, frozen=True):
    """Everything that came before `at` was given: what is missing by then is missing. Of no device."""

    at: Stamp
    device: str = ""


Input = Reading | Fault | Change | Dropped | Tick
