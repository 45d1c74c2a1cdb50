"""The reference instrument's end of the wire, written from docs/protocols/ims-reference.md.

Frame, little-endian: `A5 5A`, version 01, type, u16 sequence, u16 reply-to, u16 payload length,
u16 CRC of those ten bytes, payload, u16 CRC of everything before it (CRC-16/CCITT-FALSE).
"""

import struct
from dataclasses import dataclass

SYNC = b"\xa5\x5a"
VERSION = 1
NEGATIVE, POSITIVE = 0, 1
IDENT, STATE, ENVIRONMENT, SCAN, RUN_START, RUN_END, HEARTBEAT, ACK, NAK = range(1, 10)
IDENTIFY, GET_STATE, GET_ENVIRONMENT, GET_LAST_RUN = 0x81, 0x82, 0x83, 0x84
START_SAMPLE, ABORT_SAMPLE = 0x90, 0x91
NAK_UNKNOWN, NAK_LENGTH, NAK_BUSY, NAK_NOT_READY, NAK_NO_RUN, NAK_NOT_PERMITTED = range(1, 7)
NO_VALUE = 0xFF


def _table() -> tuple[int, ...]:
    out = []
    for top in range(256):
        remainder = top << 8
        for _ in range(8):
            remainder = (remainder << 1) ^ 0x11021 if remainder & 0x8000 else remainder << 1
        out.append(remainder)
    return tuple(out)


_TABLE = _table()


def crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE by table: polynomial 1021, start FFFF, not reflected, no final inversion."""
    remainder = 0xFFFF
    for byte in data:
        remainder = ((remainder << 8) & 0xFF00) ^ _TABLE[(remainder >> 8) ^ byte]
    return remainder


def frame(kind: int, sequence: int, payload: bytes, reply_to: int = 0) -> bytes:
    """One whole frame."""
    head = SYNC + struct.pack("<BBHHH", VERSION, kind, sequence & 0xFFFF, reply_to, len(payload))
    body = head + crc(head).to_bytes(2, "little") + payload
    return body + crc(body).to_bytes(2, "little")


def text(value: str) -> bytes:
    """A string: one byte of length, then UTF-8 of at most 32 bytes."""
    data = value.encode()[:32]
    return bytes([len(data)]) + data


@dataclass(frozen=True, slots=True)
class ReferencePeak:
    """A peak the instrument always shows. Role 0: calibrant, 1: reactant ion. `k0` in cm2/(V.s)."""

    polarity: int
    role: int
    k0: float
    name: str


@dataclass(frozen=True, slots=True)
class Ident:
    """Who the instrument is. Drift length in m, drift voltage in V."""

    model: str
    serial: str
    firmware: str
    library: str
    length: float
    voltage: float
    references: tuple[ReferencePeak, ...]

    def pack(self) -> bytes:
        """The payload."""
        out = b"".join(text(value) for value in (self.model, self.serial, self.firmware, self.library))
        out += struct.pack("<IIB", round(self.length * 1e6), round(self.voltage * 1e3), len(self.references))
        for peak in self.references:
            out += struct.pack("<BBI", peak.polarity, peak.role, round(peak.k0 * 1e6)) + text(peak.name)
        return out


@dataclass(frozen=True, slots=True)
class State:
    """State, fault bits, per-polarity conditions, standing alarms and consumables."""

    state: int
    progress: int = NO_VALUE
    faults: int = 0
    conditions: tuple[int, int] = (0, 0)
    alarms: int = 0
    swabs: int = 0
    desiccant: int = 0
    dopant: int = 0

    def pack(self) -> bytes:
        """The payload."""
        stores = (min(max(0, left), 0xFFFF) for left in (self.swabs, self.desiccant, self.dopant))
        return struct.pack(
            "<BBHBBBBHHH", self.state, self.progress, self.faults, *self.conditions, self.alarms, 0, *stores
        )


@dataclass(frozen=True, slots=True)
class Gas:
    """The drift gas as the sensors report it: K, hPa, % relative humidity."""

    temperature: float
    pressure: float
    humidity: float

    def pack(self) -> bytes:
        """The payload of ENVIRONMENT."""
        return struct.pack(
            "<IIH", round(self.temperature * 1e3), round(self.pressure * 1e2), round(self.humidity * 1e2)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One plasmagram. Times in s from the middle of the gate pulse; `points` little-endian u16."""

    polarity: int
    flags: int
    index: int
    run: int
    start: float
    interval: float
    gate: float
    gas: Gas
    pulses: int
    points: bytes

    def pack(self) -> bytes:
        """The payload."""
        times = (round(value * 1e9) for value in (self.start, self.interval, self.gate))
        gas = (round(self.gas.temperature * 1e3), round(self.gas.pressure * 1e2))
        head = (self.polarity, self.flags, self.index, self.run, *times, *gas, self.pulses, len(self.points) // 2)
        return struct.pack("<BBHIIIIIIHH", *head) + self.points


@dataclass(frozen=True, slots=True)
class Peak:
    """One peak of a finished run. Group 0 none, 1 explosives, 2 narcotics, 3 calibrant, 4 reactant ion."""

    polarity: int
    group: int
    alarmed: bool
    confidence: int
    k0: float
    amplitude: float
    name: str

    def pack(self) -> bytes:
        """The peak's record."""
        fixed = (self.polarity, self.group, int(self.alarmed), self.confidence, round(self.k0 * 1e6))
        return struct.pack("<BBBBII", *fixed, max(0, round(self.amplitude))) + text(self.name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The instrument's own judgement: 0 clear, 1 alarm, 2 inconclusive, 3 aborted, with its cause."""

    outcome: int
    cause: int
    peaks: tuple[Peak, ...] = ()


def run_start(run: int, duration: float, scans: int) -> bytes:
    """The payload of RUN_START; duration in s as planned."""
    return struct.pack("<IIH", run, round(duration * 1e3), scans)


def run_end(run: int, duration: float, scans: int, verdict: Verdict, age: float = 0.0) -> bytes:
    """The payload of RUN_END; duration and age in s."""
    out = struct.pack("<IIIHBB", run, round(duration * 1e3), int(age), scans, verdict.outcome, verdict.cause)
    return out + bytes([len(verdict.peaks)]) + b"".join(peak.pack() for peak in verdict.peaks)


class RequestReader:
    """Finds the host's requests in what it wrote; damaged ones are passed over in silence, as specified."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The complete requests: (type, sequence, payload)."""
        self._pending = (self._pending + data)[-4096:]
        out = []
        while (start := self._pending.find(SYNC)) >= 0 and len(self._pending) >= start + 12:
            head = self._pending[start : start + 12]
            size = 14 + int.from_bytes(head[8:10], "little")
            if head[2] != VERSION or crc(head[:10]) != int.from_bytes(head[10:], "little") or size > 64:
                self._pending = self._pending[start + 1 :]
                continue
            whole = self._pending[start : start + size]
            if len(whole) < size:
                break
            good = crc(whole[:-2]) == int.from_bytes(whole[-2:], "little")
            self._pending = self._pending[start + (size if good else 1) :]
            if good:
                out.append((head[3], int.from_bytes(head[4:6], "little"), whole[12:-2]))
        return out
