r"""The FLIR file format (FFF), as it stands in radiometric JPEGs and in .fff files: records, camera, counts.

    JPEG segments  FF E1, u16 length, "FLIR\0", 01, u8 index, u8 last index, content; together they are the FFF

    FFF header     0x00 "FFF\0"     0x14 u32 version, 100..200 in the byte order of the header and directory
                   0x18 u32 offset of the directory     0x1C u32 number of its entries
    entry, 32 B    u16 type, u16 subtype, u32 version, u32 index, u32 offset, u32 length, ...
    record types   0x01 counts of the sensor     0x20 camera and calibration

Every record has its own byte order: its first u16 is 2.

    0x20   f32: 0x20 emissivity, 0x24 distance m, 0x28 reflected K, 0x2C air K, 0x30 window K,
           0x34 window transmission, 0x3C relative humidity (fraction or percent), 0x58 R1, 0x5C B, 0x60 F,
           0x70 A1, 0x74 A2, 0x78 B1, 0x7C B2, 0x80 X, 0x90 / 0x94 top and bottom of the range K
           text: 0xD4 model (32), 0xF4 part (16), 0x104 serial (16), 0x114 software (16), 0x170 lens (32)
           0x308 i32 O, 0x30C f32 R2, 0x338 u16 median count, 0x33C u16 range of counts
           0x384 u32 seconds UTC, u32 milliseconds, i16 minutes west of Greenwich: when it was taken
    0x01   0x02 u16 width, 0x04 u16 height, 0x20 pixels: subtype 1 u16 big-endian, 2 u16 little-endian,
           3 a 16-bit PNG whose samples have their bytes exchanged

Source: ExifTool, FLIR tags; confirmed on files of two cameras. Files come from removable media: every
offset and length is checked against what is there, sides are limited to 4096 pixels.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.png import SIGNATURE, decode_png16, png_size
from devicehub.wire.radiometry import ZERO_CELSIUS, AirConstants, Planck, Surroundings

COUNTS, CAMERA = 0x01, 0x20
LARGEST_SIDE = 4096
_MOST_ENTRIES = 256
_MOST_MARKERS = 4096
_MAGIC = b"FFF\0"
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # JPEG markers without a length


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an FFF file."""

    subtype: int
    data: bytes

    @property
    def order(self) -> str:
        """Its byte order as a `struct` sign. Raises `ProtocolError`."""
        orders = {b"\x02\x00": "<", b"\x00\x02": ">"}
        if self.data[:2] not in orders:
            raise ProtocolError(Reason.CORRUPT, "record without a byte order")
        return orders[self.data[:2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInfo:
    """Record 0x20. Temperatures in Cel; `taken_at` in seconds since 1970 UTC."""

    planck: Planck
    around: Surroundings
    coldest: float
    hottest: float
    model: str
    part: str
    serial: str
    software: str
    lens: str
    raw_median: int | None
    raw_range: int | None
    taken_at: float | None


def fff_of(data: bytes) -> bytes:
    """The FFF content of a radiometric JPEG, or `data` itself if it is one. Raises `ProtocolError`."""
    if data.startswith(_MAGIC):
        return data
    parts: dict[int, bytes] = {}
    last = -1
    for content in _flir_segments(data):
        index, last = content[6], max(last, content[7])
        if index in parts:
            raise ProtocolError(Reason.SEQUENCE, f"FLIR segment {index} comes twice")
        parts[index] = content[8:]
    if not parts:
        raise ProtocolError(Reason.UNSUPPORTED, "not a radiometric FLIR file")
    if sorted(parts) != list(range(last + 1)):
        raise ProtocolError(Reason.SEQUENCE, f"{len(parts)} of {last + 1} FLIR segments")
    return b"".join(parts[index] for index in range(last + 1))


def _flir_segments(data: bytes) -> Iterator[bytes]:
    """Contents of the APP1 segments that begin with "FLIR", up to the start of the picture."""
    at, markers = 2 if data.startswith(b"\xff\xd8") else len(data), 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in {0xDA, 0xD9}:
        marker, markers = data[at + 1], markers + 1
        if markers > _MOST_MARKERS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {_MOST_MARKERS} JPEG markers before the picture")
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + size]
        if size < 2 or len(content) < size - 2:
            raise ProtocolError(Reason.TRUNCATED, "JPEG segment ends behind the file")
        if marker == 0xE1 and content.startswith(b"FLIR\0\x01") and len(content) >= 8:
            yield content
        at += 2 + size


def records(fff: bytes) -> dict[int, Record]:
    """The first record of each type. Raises `ProtocolError`."""
    if len(fff) < 64 or not fff.startswith(_MAGIC):
        raise ProtocolError(Reason.CORRUPT, "no FFF header")
    order = next((sign for sign in "><" if 100 <= struct.unpack_from(f"{sign}I", fff, 0x14)[0] <= 200), None)
    if order is None:
        raise ProtocolError(Reason.UNSUPPORTED, "FFF version")
    directory, count = struct.unpack_from(f"{order}II", fff, 0x18)
    if count > _MOST_ENTRIES or directory + 32 * count > len(fff):
        raise ProtocolError(Reason.RANGE, f"FFF directory of {count} entries at {directory}")
    found: dict[int, Record] = {}
    for at in range(directory, directory + 32 * count, 32):
        kind, subtype, _, _, offset, size = struct.unpack_from(f"{order}HHIIII", fff, at)
        if kind not in {COUNTS, CAMERA} or kind in found:
            continue
        if offset + size > len(fff):
            raise ProtocolError(Reason.TRUNCATED, f"FFF record {kind:#x} ends behind the file")
        found[kind] = Record(subtype, fff[offset : offset + size])
    return found


def camera_info(record: Record) -> CameraInfo:
    """Read record 0x20. Raises `ProtocolError`, also for values with which nothing can be computed."""
    data, order = record.data, record.order
    if len(data) < 0x310:
        raise ProtocolError(Reason.TRUNCATED, f"camera record of {len(data)} bytes")
    floats = struct.unpack_from(f"{order}40f", data)  # element i is at offset 4 * i
    (o,) = struct.unpack_from(f"{order}i", data, 0x308)
    (r2,) = struct.unpack_from(f"{order}f", data, 0x30C)
    planck = Planck(r1=floats[22], b=floats[23], f=floats[24], o=float(o), r2=r2)
    around = _surroundings(floats)
    _check(planck, around)
    median, raw_range = struct.unpack_from(f"{order}HxxH", data, 0x338) if len(data) >= 0x33E else (None, None)
    return CameraInfo(
        planck=planck,
        around=around,
        hottest=floats[36] - ZERO_CELSIUS,
        coldest=floats[37] - ZERO_CELSIUS,
        model=_text(data, 0xD4, 32),
        part=_text(data, 0xF4, 16),
        serial=_text(data, 0x104, 16),
        software=_text(data, 0x114, 16),
        lens=_text(data, 0x170, 32),
        raw_median=median,
        raw_range=raw_range,
        taken_at=_taken_at(data, order),
    )


def _surroundings(floats: tuple[float, ...]) -> Surroundings:
    humidity = floats[15]
    return Surroundings(
        emissivity=floats[8],
        distance=floats[9],
        reflected=floats[10] - ZERO_CELSIUS,
        air=floats[11] - ZERO_CELSIUS,
        window=floats[12] - ZERO_CELSIUS,
        window_transmission=floats[13],
        humidity=humidity / 100 if humidity > 2 else humidity,
        constants=AirConstants(a1=floats[28], a2=floats[29], b1=floats[30], b2=floats[31], x=floats[32]),
    )


def _check(planck: Planck, around: Surroundings) -> None:
    """Raise `ProtocolError` for a calibration that cannot be one."""
    k = around.constants
    numbers = (planck.r1, planck.b, planck.f, planck.r2, k.a1, k.a2, k.b1, k.b2, k.x)
    if not all(map(math.isfinite, numbers)) or min(planck.r1, planck.b, planck.r2) <= 0:
        raise ProtocolError(Reason.RANGE, "calibration constants of the camera")
    if not (0 < around.emissivity <= 1 and 0 < around.window_transmission <= 1):
        raise ProtocolError(Reason.RANGE, f"emissivity {around.emissivity:g} or window transmission")
    temperatures = (around.reflected, around.air, around.window)
    if not all(-ZERO_CELSIUS < value < 10_000 for value in temperatures):
        raise ProtocolError(Reason.RANGE, "reflected, air or window temperature")
    if not (0 <= around.distance < 100_000 and 0 <= around.humidity <= 1.5):
        raise ProtocolError(Reason.RANGE, "distance or humidity")


def _text(data: bytes, at: int, size: int) -> str:
    raw = data[at : at + size].split(b"\0", 1)[0].decode("latin-1")
    return "".join(letter for letter in raw if letter.isprintable()).strip()


def _taken_at(data: bytes, order: str) -> float | None:
    if len(data) < 0x38E:
        return None
    seconds, milliseconds = struct.unpack_from(f"{order}II", data, 0x384)
    return seconds + (milliseconds & 0xFFFF) / 1000 if seconds else None


def counts(record: Record) -> NDArray[np.uint16]:
    """Read record 0x01: counts of shape (height, width). Raises `ProtocolError`."""
    data = record.data
    if len(data) < 0x20:
        raise ProtocolError(Reason.TRUNCATED, f"record of counts of {len(data)} bytes")
    width, height = struct.unpack_from(f"{record.order}HH", data, 2)
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise ProtocolError(Reason.RANGE, f"{width} x {height} counts")
    if data.startswith(SIGNATURE, 0x20):
        return _counts_of_png(data[0x20:], width, height)
    if record.subtype not in {1, 2}:
        raise ProtocolError(Reason.UNSUPPORTED, f"counts of subtype {record.subtype}")
    if len(data) < 0x20 + 2 * width * height:
        raise ProtocolError(Reason.TRUNCATED, f"{len(data)} bytes for {width} x {height} counts")
    pixels = np.frombuffer(data, ">u2" if record.subtype == 1 else "<u2", width * height, 0x20)
    return pixels.reshape(height, width).astype(np.uint16)


def _counts_of_png(png: bytes, width: int, height: int) -> NDArray[np.uint16]:
    if png_size(png) != (width, height):
        stated = "{} x {}".format(*png_size(png))
        raise ProtocolError(Reason.CORRUPT, f"PNG of {stated} for {width} x {height} counts")
    return decode_png16(png, largest_side=LARGEST_SIDE).byteswap()
