"""Messages of the reference ion-mobility trace detector (docs/protocols/ims-reference.md, section 4).

All little-endian. A string is a u8 length (at most 32) and that many bytes of UTF-8.

    IDENT        model, serial, firmware, library (strings), u32 drift length um, u32 drift voltage mV, u8 count (0-8)
                 of reference peaks: u8 polarity, u8 role (0 calibrant, 1 reactant ion), u32 K0 1e-6 cm2/(V.s), string
    STATE        u8 state, u8 progress % (FF none), u16 fault bits, u8 condition negative, u8 condition positive,
                 u8 standing alarms (bit 0 explosives, 1 narcotics), u8 0, u16 swabs, u16 desiccant h, u16 dopant h
    ENVIRONMENT  u32 drift gas temperature mK, u32 pressure Pa, u16 relative humidity 0.01 %
    SCAN         u8 polarity, u8 flags, u16 index, u32 run, u32 start ns, u32 interval ns, u32 gate ns, u32 mK, u32 Pa,
                 u16 pulses averaged, u16 n (2-2000), n x u16 counts
    RUN_START    u32 run, u32 planned duration ms, u16 planned scans
    RUN_END      u32 run, u32 duration ms, u32 age s, u16 scans, u8 outcome, u8 cause, u8 count (0-16) of peaks:
                 u8 polarity, u8 group, u8 flags (bit 0 alarmed), u8 confidence % (FF unknown), u32 K0 1e-6, u32 counts,
                 string name
    HEARTBEAT    u32 uptime s, u8 state
    ACK          u8 type of the request
    NAK          u8 type of the request, u8 reason
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from devicehub.model.errors import ProtocolError, Reason
from drivers.trace._ims_reference_wire import Cursor, Envelope, Kind

POLARITIES = ("negative", "positive")
STATES = ("warming-up", "ready", "sampling", "bake-out", "fault")
NO_VALUE = 0xFF
MOST_POINTS = 2000
_LONGEST_RUN = 3_600_000  # ms
_SATURATED, _IDLE = 0x01, 0x04


@dataclass(frozen=True, slots=True)
class ReferencePeak:
    """A peak that the instrument always shows; `k0` in cm2/(V.s)."""

    polarity: str
    calibrant: bool
    k0: float
    name: str


@dataclass(frozen=True, slots=True)
class Ident:
    """Who the instrument is: drift length in mm, drift voltage in V."""

    model: str
    serial: str
    firmware: str
    library: str
    length: float
    voltage: float
    references: tuple[ReferencePeak, ...]


@dataclass(frozen=True, slots=True)
class State:
    """What the instrument is doing. `conditions` and bits as in section 4.2 of the specification."""

    state: int
    progress: int
    faults: int
    conditions: tuple[int, int]
    alarms: int
    swabs: int
    desiccant: int
    dopant: int


@dataclass(frozen=True, slots=True)
class Environment:
    """Drift gas: K, hPa, %."""

    temperature: float
    pressure: float
    humidity: float


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One plasmagram: start and step of its axis in ms, gas in K and hPa, points as u16 little-endian."""

    polarity: str
    saturated: bool
    idle: bool
    index: int
    run: int
    start: float
    step: float
    temperature: float
    pressure: float
    points: bytes


@dataclass(frozen=True, slots=True)
class RunStart:
    """A sampling run began."""

    run: int


@dataclass(frozen=True, slots=True)
class RunPeak:
    """One peak of a run, as the instrument judged it."""

    polarity: str
    group: int
    alarmed: bool
    confidence: float | None
    k0: float
    amplitude: int
    name: str


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A sampling run is over: duration and age in s, scans sent, verdict."""

    run: int
    duration: float
    age: float
    scans: int
    outcome: int
    cause: int
    peaks: tuple[RunPeak, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The instrument is alive."""

    state: int


@dataclass(frozen=True, slots=True)
class Answer:
    """ACK (reason 0) or NAK to a request."""

    request: int
    reason: int


Message = Ident | State | Environment | ScanRecord | RunStart | RunEnd | Heartbeat | Answer


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise ProtocolError(Reason.RANGE, f"{what} {value}: must be from {low} to {high}")
    return value


def _polarity(value: int) -> str:
    return POLARITIES[_within(value, 0, 1, "polarity")]


def _mobility(value: int) -> float:
    return _within(value, 200_000, 5_000_000, "reduced mobility (1e-6)") / 1e6


_IDENT = struct.Struct("<IIB")
_REFERENCE = struct.Struct("<BBI")
_STATE = struct.Struct("<BBHBBBBHHH")
_ENVIRONMENT = struct.Struct("<IIH")
_SCAN = struct.Struct("<BBHIIIIIIHH")
_RUN_START = struct.Struct("<IIH")
_RUN_END = struct.Struct("<IIIHBBB")
_PEAK = struct.Struct("<BBBBII")
_HEARTBEAT = struct.Struct("<IB")
_ACK = struct.Struct("<B")
_NAK = struct.Struct("<BB")


def _ident(cursor: Cursor) -> Ident:
    model, serial, firmware, library = (cursor.text() for _ in range(4))
    length, voltage, count = cursor.take(_IDENT)
    references = tuple(_reference(cursor) for _ in range(_within(count, 0, 8, "number of reference peaks")))
    return Ident(model, serial, firmware, library, length / 1e3, voltage / 1e3, references)


def _reference(cursor: Cursor) -> ReferencePeak:
    polarity, role, k0 = cursor.take(_REFERENCE)
    calibrant = _within(role, 0, 1, "role") == 0
    return ReferencePeak(_polarity(polarity), calibrant, _mobility(k0), cursor.text())


def _state(cursor: Cursor) -> State:
    state, progress, faults, negative, positive, alarms, _, *stores = cursor.take(_STATE)
    _within(state, 0, len(STATES) - 1, "state")
    if progress != NO_VALUE:
        _within(progress, 0, 100, "progress")
    conditions = (_within(negative, 0, 5, "condition"), _within(positive, 0, 5, "condition"))
    return State(state, progress, faults, conditions, alarms, *stores)


def _environment(cursor: Cursor) -> Environment:
    temperature, pressure, humidity = cursor.take(_ENVIRONMENT)
    return Environment(temperature / 1e3, pressure / 1e2, humidity / 1e2)


def _scan(cursor: Cursor) -> ScanRecord:
    polarity, flags, index, run, start, step, _, temperature, pressure, _, count = cursor.take(_SCAN)
    _within(start, 0, 1_000_000_000, "start of the scan (ns)")
    _within(step, 1, 100_000_000, "sample interval (ns)")
    points = cursor.raw(2 * _within(count, 2, MOST_POINTS, "number of points"))
    gas = (temperature / 1e3, pressure / 1e2)
    marks = (bool(flags & _SATURATED), bool(flags & _IDLE))
    return ScanRecord(_polarity(polarity), *marks, index, run, start / 1e6, step / 1e6, *gas, points)


def _run_start(cursor: Cursor) -> RunStart:
    run, _, _ = cursor.take(_RUN_START)
    return RunStart(_within(run, 1, 0xFFFFFFFF, "run id"))


def _run_end(cursor: Cursor) -> RunEnd:
    run, duration, age, scans, outcome, cause, count = cursor.take(_RUN_END)
    _within(run, 1, 0xFFFFFFFF, "run id")
    _within(duration, 0, _LONGEST_RUN, "duration (ms)")
    _within(outcome, 0, 3, "outcome")
    _within(cause, 0, 6, "cause")
    peaks = tuple(_peak(cursor) for _ in range(_within(count, 0, 16, "number of peaks")))
    return RunEnd(run, duration / 1e3, age, scans, outcome, cause, peaks)


def _peak(cursor: Cursor) -> RunPeak:
    polarity, group, flags, confidence, k0, amplitude = cursor.take(_PEAK)
    _within(group, 0, 4, "group")
    share = None if confidence == NO_VALUE else _within(confidence, 0, 100, "confidence") / 100
    return RunPeak(_polarity(polarity), group, bool(flags & 1), share, _mobility(k0), amplitude, cursor.text())


def _heartbeat(cursor: Cursor) -> Heartbeat:
    _, state = cursor.take(_HEARTBEAT)
    return Heartbeat(_within(state, 0, len(STATES) - 1, "state"))


def _ack(cursor: Cursor) -> Answer:
    return Answer(cursor.take(_ACK)[0], 0)


def _nak(cursor: Cursor) -> Answer:
    kind, reason = cursor.take(_NAK)
    return Answer(kind, _within(reason, 1, 255, "reason"))


_PARSERS: MappingProxyType[int, Callable[[Cursor], Message]] = MappingProxyType(
    {
        Kind.IDENT: _ident,
        Kind.STATE: _state,
        Kind.ENVIRONMENT: _environment,
        Kind.SCAN: _scan,
        Kind.RUN_START: _run_start,
        Kind.RUN_END: _run_end,
        Kind.HEARTBEAT: _heartbeat,
        Kind.ACK: _ack,
        Kind.NAK: _nak,
    }
)


def parse(frame: Envelope) -> Message:
    """A frame's message. Raises `ProtocolError` for an unknown type and for a payload outside the specification."""
    parser = _PARSERS.get(frame.kind)
    if parser is None:
        raise ProtocolError(Reason.UNSUPPORTED, f"frame of type {frame.kind:#04x}")
    cursor = Cursor(frame.payload)
    message = parser(cursor)
    cursor.finish()
    return message
