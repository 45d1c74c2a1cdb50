"""What the RadiaCode's virtual strings hold: records, spectra, versions; the layouts stand in `radiacode`."""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from devicehub.model.alarm import AlarmCategory
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Axis, DeviceAlarm, Layout, Measurement, Spectrum
from devicehub.model.units import Unit
from devicehub.wire.numbers import single

MOST_CHANNELS = 4096
MICROSIEVERT_PER_UNIT = 10_000.0  # the device counts in roentgen

_HEAD = struct.Struct("<BBBi")
_REALTIME = struct.Struct("<ffHHHB")
_RARE = struct.Struct("<IfHHH")
_LOG = (0, 2)
_LOGGED = struct.Struct("<IffHH")
_SERIES = struct.Struct("<HI")
_SIZES = {
    (0, 0): 15,
    (0, 1): 8,
    (0, 2): 16,
    (0, 3): 14,
    (0, 4): 16,
    (0, 5): 16,
    (0, 6): 6,
    (0, 7): 4,
    (0, 8): 6,
    (0, 9): 6,
}
_SERIES_SIZES = {(1, 1): 8, (1, 2): 16, (1, 3): 14}
_ALARMS = {
    9: "dose-rate-1",
    10: "dose-rate-2",
    11: "dose-rate-off-scale",
    12: "dose-1",
    13: "dose-2",
    14: "dose-off-scale",
    15: "temperature-low",
    16: "temperature-high",
    20: "count-rate-1",
    21: "count-rate-2",
    22: "count-rate-off-scale",
}
_OWN_TEMPERATURE = {15, 16}


def virtual_string(payload: bytes) -> bytes:
    """The content of an answer to RD_VIRT_STRING. Raises `ProtocolError`.

    Newer firmware appends one zero byte that the length does not count.
    """
    if len(payload) < 8:
        raise ProtocolError(Reason.TRUNCATED, "answer without a return code and length")
    code, length = struct.unpack_from("<II", payload)
    if code != 1:
        raise ProtocolError(Reason.REJECTED, f"return code {code}")
    content = payload[8:]
    if len(content) == length + 1 and content[-1] == 0:
        content = content[:-1]
    if len(content) != length:
        raise ProtocolError(Reason.LENGTH, f"{len(content)} bytes instead of {length}")
    return content


class Record(NamedTuple):
    """One record of DATA_BUF: when by the device's own count of 10 ms, what it says, and whether it is of its log."""

    number: int
    ticks: int
    logged: bool
    samples: tuple[Measurement | DeviceAlarm, ...]


def records(content: bytes) -> Iterator[Record]:
    """The records in DATA_BUF, oldest first. Raises `ProtocolError` at the first record that makes no sense."""
    at, expected = 0, None
    while at < len(content):
        if len(content) - at < _HEAD.size:
            raise ProtocolError(Reason.TRUNCATED, "record header cut off")
        sequence, major, minor, ticks = _HEAD.unpack_from(content, at)
        if expected is not None and sequence != expected:
            raise ProtocolError(Reason.SEQUENCE, f"record {sequence} instead of {expected}")
        expected = (sequence + 1) % 256
        at += _HEAD.size
        size = _record_size(content, at, (major, minor))
        if len(content) - at < size:
            raise ProtocolError(Reason.TRUNCATED, f"record {major}.{minor} cut off")
        samples = tuple(_record((major, minor), content[at : at + size]))
        yield Record(sequence, ticks, (major, minor) == _LOG, samples)
        at += size


def _record_size(content: bytes, at: int, kind: tuple[int, int]) -> int:
    if kind in _SIZES:
        return _SIZES[kind]
    if kind not in _SERIES_SIZES:
        raise ProtocolError(Reason.UNSUPPORTED, f"record {kind[0]}.{kind[1]}")
    if len(content) - at < _SERIES.size:
        raise ProtocolError(Reason.TRUNCATED, "series header cut off")
    count, _ = _SERIES.unpack_from(content, at)
    return int(_SERIES.size + count * _SERIES_SIZES[kind])


def _record(kind: tuple[int, int], body: bytes) -> Iterator[Measurement | DeviceAlarm]:
    if kind == (0, 0):
        rate, dose_rate, rate_error, dose_error, _, _ = _REALTIME.unpack(body)
        yield _measured("count-rate", rate, rate_error)
        yield _measured("dose-rate", dose_rate * MICROSIEVERT_PER_UNIT, dose_error)
    elif kind == _LOG:
        _, rate, dose_rate, error, _ = _LOGGED.unpack(body)
        yield _measured("count-rate", rate)
        yield _measured("dose-rate", dose_rate * MICROSIEVERT_PER_UNIT, error)
    elif kind == (0, 3):
        _, dose, temperature, charge, _ = _RARE.unpack(body)
        yield _measured("dose", dose * MICROSIEVERT_PER_UNIT)
        yield Measurement("temperature", (temperature - 2000) / 100)
        yield Measurement("battery", charge / 100)
    elif kind == (0, 7) and body[0] in _ALARMS:
        # The device reports the moment a threshold is crossed and never the return.
        category = AlarmCategory.DEVICE if body[0] in _OWN_TEMPERATURE else AlarmCategory.THREAT
        yield DeviceAlarm(_ALARMS[body[0]], active=True, category=category)
        yield DeviceAlarm(_ALARMS[body[0]], active=False, category=category)


def _measured(channel: str, value: float, error: int | None = None) -> Measurement:
    """`error`: relative, in tenths of a percent."""
    if not math.isfinite(value):
        raise ProtocolError(Reason.RANGE, f"{channel} is not a number")
    return Measurement(channel, single(value), uncertainty=None if error is None else single(abs(value) * error / 1000))


def spectrum(content: bytes, version: int) -> Spectrum:
    """The accumulated spectrum, u32 counts over keV. `version` is SpecFormatVersion. Raises `ProtocolError`."""
    if len(content) < 16:
        raise ProtocolError(Reason.TRUNCATED, "spectrum without its head")
    seconds, start, step, quadratic = struct.unpack_from("<Ifff", content)
    if not all(math.isfinite(value) for value in (start, step, quadratic)):
        raise ProtocolError(Reason.RANGE, "energy calibration is not a number")
    if version not in _FORMATS:
        raise ProtocolError(Reason.UNSUPPORTED, f"spectrum format {version}")
    counts = _FORMATS[version](content[16:])
    if not counts:
        raise ProtocolError(Reason.LENGTH, "spectrum without channels")
    axis = Axis(Unit.KILOELECTRONVOLT, step=step, start=start, quadratic=quadratic)
    data = struct.pack(f"<{len(counts)}I", *counts)
    return Spectrum("spectrum", data, Layout.U32LE, axis, mode="accumulated", live_time=float(seconds))


def _plain(body: bytes) -> list[int]:
    if len(body) % 4 or len(body) > 4 * MOST_CHANNELS:
        raise ProtocolError(Reason.LENGTH, f"{len(body)} bytes of counts")
    return list(struct.unpack(f"<{len(body) // 4}I", body))


def _packed(body: bytes) -> list[int]:
    """Runs of `u16 = count << 4 | how`, each followed by its values; see `radiacode`."""
    counts: list[int] = []
    at, last = 0, 0
    while at < len(body):
        head = int.from_bytes(body[at : at + 2], "little")
        at += 2
        run, how = head >> 4, head & 15
        if how > 5:
            raise ProtocolError(Reason.UNSUPPORTED, f"run of kind {how}")
        width = (0, 1, 1, 2, 3, 4)[how]
        if at + run * width > len(body) or len(counts) + run > MOST_CHANNELS:
            raise ProtocolError(Reason.LENGTH, "run beyond the end")
        for _ in range(run):
            step = int.from_bytes(body[at : at + width], "little", signed=how > 1)
            last = step if how < 2 else last + step
            counts.append(last)
            at += width
    if any(not 0 <= count < 2**32 for count in counts):
        raise ProtocolError(Reason.RANGE, "negative counts")
    return counts


_FORMATS = {0: _plain, 1: _packed}


def version(payload: bytes) -> str:
    """Firmware version out of the answer to GET_VERSION. Raises `ProtocolError`."""
    # u16 boot minor, u16 boot major, string (u8 length) date, then the same of the firmware
    firmware = 5 + payload[4] if len(payload) > 4 else len(payload)
    if len(payload) < firmware + 4:
        raise ProtocolError(Reason.TRUNCATED, "version cut off")
    minor, major = struct.unpack_from("<HH", payload, firmware)
    return f"{major}.{minor:02d}"
