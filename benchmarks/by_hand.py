"""What a programmer would write for a frame of each device file: `struct`, numpy and checks at C speed, as in a driver.

A line each: the frame, how it is cut, and what is made of it. They prove nothing of a protocol; `decode.py` holds their
samples against those of the device files.
"""

import binascii
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from types import MappingProxyType
from typing import Final

import numpy as np

from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Axis, Layout, Measurement, Sample, Scan, Spectrum
from devicehub.model.units import Unit
from devicehub.registry import device_files
from devicehub.wire.checksum import crc, crc_not_augmented, sum8, xor8
from devicehub.wire.framer import DelimiterFramer, Frame, Framer, SyncFramer, WholePackets
from devicehub.wire.numbers import shortest, single
from devicehub.wire.symbology import aim_symbology

D5: Final = "radiation.kromek_d5"
D3S: Final = "radiation.kromek_d3s"
HID: Final = "scanner.hid_pos"
_D5_RADIOMETRICS = struct.Struct("<HBBBIIIfffIIhfIIhfBB")
_D3S_RADIOMETRICS = struct.Struct("<HBBBIIIffIIIhfIIhfBB")
_D5_STATUS = struct.Struct("<HBBBBBbBBBBbBBB")
_POWER = ("unknown", "battery", "USB", "Qi", "Ethernet", "AA backup")
_RADEX = struct.Struct("<IHHHHHHHHIII")
_PULSES = struct.Struct("<BffHBb")
_TAG = struct.Struct(">BHHB Bb B3sIHBHBH H".replace(" ", ""))
_MCRF4XX = crc(width=16, poly=0x1021, init=0xFFFF, reflected=True)
_THINGMAGIC = crc_not_augmented(width=16, poly=0x1021, init=0xFFFF)

Decode = Callable[[bytes], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Case:
    """A frame as it goes over the line, and the code for it.

    `asked`: it comes only as the answer to that request. `port`: where it comes from.
    """

    title: str
    driver: str
    data: bytes
    framer: Callable[[], Framer]
    decode: Decode
    asked: str = ""
    port: str = ""


class Slip:
    """Nothing between two delimiters is no frame."""

    def __init__(self) -> None:
        self._inner = DelimiterFramer(b"\xc0", limit=17_000)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`."""
        return (frame for frame in self._inner.feed(data) if frame)


def unslip(data: bytes) -> bytes:
    """One frame of Kromek, checked."""
    frame = data.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
    return _kromek(frame)


def _kromek(frame: bytes) -> bytes:
    told = int.from_bytes(frame[-2:], "little")
    if told and told != binascii.crc_hqx(frame[:-2], 0xFFFF):
        raise ProtocolError(Reason.CHECKSUM)
    return frame[:-2]


def _d5_radiometrics(data: bytes) -> Iterator[Sample]:
    frame = unslip(data)
    values = _D5_RADIOMETRICS.unpack_from(frame)
    counts = np.frombuffer(frame, "<u2", 4096, _D5_RADIOMETRICS.size)
    yield Measurement("neutron-counts", values[11])
    yield Measurement("gamma-counts", values[15])
    yield Spectrum("spectrum", counts.tobytes(), Layout.U16LE, Axis(Unit.ONE, step=1.0), live_time=values[14] / 1000)


def _d3s_radiometrics(frame: bytes) -> Iterator[Sample]:
    values = _D3S_RADIOMETRICS.unpack_from(frame)
    counts = np.frombuffer(frame, "<u2", 4096, _D3S_RADIOMETRICS.size)
    yield Measurement("dose", single(values[7] * 1e6))
    yield Measurement("dose-rate", single(values[8] * 1e6))
    yield Measurement("neutron-counts", values[11])
    yield Measurement("gamma-counts", values[15])
    yield Spectrum("spectrum", counts.tobytes(), Layout.U16LE, Axis(Unit.ONE, step=1.0), live_time=values[5] / 1000)


def _d5_status(data: bytes) -> Iterator[Sample]:
    values = _D5_STATUS.unpack(unslip(data))
    yield Measurement("power", values[5], label=_POWER[values[5]])
    yield Measurement("temperature", values[6])
    yield Measurement("battery", values[9])


def _sized(sync: bytes, header: int, size: Callable[[bytes], int], good: Callable[[bytes], bool]) -> SyncFramer:
    def check(frame: bytes) -> None:
        if not good(frame):
            raise ProtocolError(Reason.CHECKSUM)

    return SyncFramer(sync, header, size, check)


def _d3s_good(frame: bytes) -> bool:
    told = int.from_bytes(frame[-2:], "little")
    return not told or told == binascii.crc_hqx(frame[:-2], 0xFFFF)


def _radex_good(frame: bytes) -> bool:
    head, rest = np.frombuffer(frame, "<u2", 6), np.frombuffer(frame, "<u2", offset=12)
    return (
        int(head[5]) == 0xFFFF - int(head[:5].sum(dtype=np.uint64)) % 0xFFFF
        and int(rest[-1]) == 0xFFFF - int(rest[:-1].sum(dtype=np.uint64)) % 0x10000
    )


def _radex(frame: bytes) -> Iterator[Sample]:
    values = _RADEX.unpack_from(frame)
    yield Measurement("dose-rate", values[9] / 100)
    yield Measurement("dose", values[10] / 100)
    yield Measurement("count-rate", values[11])


def _rapiscan(frame: bytes) -> Iterator[Sample]:
    kind, *numbers = frame.rstrip(b"\r").split(b",")
    if kind != b"GB" or len(numbers) != 4:
        raise ProtocolError(Reason.UNSUPPORTED)
    yield Measurement("gamma-background", sum(map(int, numbers)))


def _count(frame: bytes) -> Iterator[Sample]:
    yield Measurement("count-rate", int.from_bytes(frame, "big"))


def _zone(frame: bytes) -> Iterator[Sample]:
    yield Scan("document", "ocr", frame[3:])


def _honeywell(frame: bytes) -> Iterator[Sample]:
    size = int(frame[13:17])
    if frame[7:13] != b"MSGGET" or frame[20] != 0x1D or len(frame) != 21 + size or frame[-1] != 0x0D:
        raise ProtocolError(Reason.LENGTH)
    yield Scan("barcode", aim_symbology(frame[18:20].decode()), frame[21:-1])


def _newland(frame: bytes) -> Iterator[Sample]:
    yield Scan("barcode", aim_symbology(frame[:3].decode()), frame[3:])


def _rte(frame: bytes) -> Iterator[Sample]:
    if frame[3:5] != b"OU" or frame[5] != 2 or frame[-2] != 3 or xor8(frame[1:-1]) != frame[-1]:
        raise ProtocolError(Reason.CHECKSUM)
    lines = [line.rstrip(b"_") for line in frame[7:-3].split(b"\r")]
    yield Scan("document", "ocr", b"\r".join(filter(None, lines)))


def _sw_ct(frame: bytes) -> Iterator[Sample]:
    at = 9
    for _ in range(int.from_bytes(frame[7:9], "big")):
        end = at + frame[at]
        yield Scan("tag", "epc-gen2", frame[at + 3 : end])
        at = end + 1


def _thingmagic(frame: bytes) -> Iterator[Sample]:
    values = _TAG.unpack_from(frame, 5)
    if values[2] != 0x01FF or values[11]:
        raise ProtocolError(Reason.UNEXPECTED)
    at = 5 + _TAG.size
    yield Scan("tag", "epc-gen2", frame[at : at + values[13] // 8 - 4])


def _uhf(frame: bytes) -> Iterator[Sample]:
    at = 5
    for _ in range(frame[4]):
        size = frame[at]
        yield Scan("tag", "epc-gen2", frame[at + 1 : at + 1 + size])
        at += 1 + size


def _atom_fast(frame: bytes) -> Iterator[Sample]:
    _, dose, rate, pulses, battery, temperature = _PULSES.unpack(frame)
    yield Measurement("dose", shortest(dose))
    yield Measurement("dose-rate", shortest(rate))
    yield Measurement("count-rate", pulses / 2)
    yield Measurement("battery", battery)
    yield Measurement("temperature", temperature)


def _report(frame: bytes) -> Iterator[Sample]:
    """One that is the whole barcode."""
    if len(frame) != 64 or frame[0] != 2 or frame[1] > 56 or frame[2] != 0x5D or frame[63] & 1:
        raise ProtocolError(Reason.LENGTH)
    yield Scan("barcode", aim_symbology(frame[3:5].decode("latin-1")), frame[5 : 5 + frame[1]])


_LENGTHED: Final[Mapping[str, tuple[str, Callable[[], Framer], Decode]]] = MappingProxyType(
    {
        "radiation.radex_one": (
            "reading", lambda: _sized(b"\x7a\xff\x20\x80", 6, lambda h: 12 + h[4] + h[5] * 256, _radex_good), _radex,
        ),
        "radiation.rapiscan_vm250": ("gamma_background", partial(DelimiterFramer, b"\n", limit=120), _rapiscan),
        "scanner.elyctis_idbox": (
            "zone", lambda: _sized(b"", 3, lambda h: 3 + h[1] * 256 + h[2], lambda _: True), _zone,
        ),
        "scanner.honeywell": (
            "scan",
            lambda: _sized(b"\x16\xfe", 6, lambda h: 7 + int.from_bytes(h[2:6], "little"), lambda _: True),
            _honeywell,
        ),
        "scanner.newland": ("scan", partial(DelimiterFramer, b"\x3b\x03", limit=8192), _newland),
        "scanner.rte_mrz": (
            "document", lambda: _sized(b"\x01", 3, lambda h: 3 + h[1] + (h[2] & 0x3F) * 256, lambda _: True), _rte,
        ),
        "scanner.sw_ct": (
            "tags", lambda: _sized(b"CT", 4, lambda h: 4 + h[2] * 256 + h[3], lambda f: sum8(f) == 0), _sw_ct,
        ),
        "scanner.thingmagic": (
            "tag",
            lambda: _sized(b"\xff", 2, lambda h: 7 + h[1], lambda f: _THINGMAGIC(f[1:-2]) == f[-2] * 256 + f[-1]),
            _thingmagic,
        ),
    }
)  # fmt: skip
"""Those of which the first vector of a message is the frame."""


def cases() -> Iterator[Case]:
    """One of each device file, of some two."""
    compiled = load(device_files()[D5])
    spectrum = np.random.default_rng(1).poisson(3.0, 4096).astype("<u2")
    body = compiled.codec.encode("radiometrics", {"spectrum": spectrum, "gamma_counts": 9, "gamma_live": 1.0}, {})
    yield Case("Kromek D5 radiometrics", D5, compiled.framing.reply(body), Slip, _d5_radiometrics)
    body = compiled.codec.encode("status", {"power": "battery", "battery": 87, "dose_status": 0}, {})
    yield Case("Kromek D5 status", D5, compiled.framing.reply(body), Slip, _d5_status)
    compiled = load(device_files()[D3S])
    values = {"spectrum": spectrum, "gamma_counts": 9, "real_time": 1.0, "rate": 0.1, "dose": 2.0}
    body = compiled.codec.encode("radiometrics", values, {})
    by_length = partial(_sized, b"", 2, lambda head: head[0] + head[1] * 256, _d3s_good)
    yield Case("Kromek D3S radiometrics", D3S, compiled.framing.reply(body), by_length, _d3s_radiometrics)
    yield _uhf_tags()
    yield Case("GQ GMC count", "radiation.gq_gmc", b"\x00\x00\x00\x1c", WholePackets, _count, "get_count32")
    for name, (message, framer, decode) in _LENGTHED.items():
        yield Case(f"{name.partition('.')[2]} {message}", name, first(name, message), framer, decode)
    compiled = load(device_files()[HID])
    (report,) = compiled.framing.packets(compiled.codec.encode("barcode", {"aim": "C0", "data": b"RR473124829GB"}, {}))
    yield Case("HID-POS report", HID, report, WholePackets, _report, port="in:81")
    data = first("radiation.atom_fast", "readings")
    yield Case("atom_fast readings", "radiation.atom_fast", data, WholePackets, _atom_fast)


def _uhf_tags() -> Case:
    compiled = load(device_files()["scanner.uhfreader18"])
    random = Random(1)
    found = [{"size": 12, "epc": random.randbytes(12)} for _ in range(8)]
    body = compiled.codec.encode("tags", {"count": 8, "tags": found}, {})
    framer = partial(_sized, b"", 1, lambda h: h[0] + 1, lambda f: _MCRF4XX(f[:-2]) == f[-2] + f[-1] * 256)
    return Case("UHFReader18, 8 tags", "scanner.uhfreader18", compiled.framing.reply(body), framer, _uhf)


def first(driver: str, message: str) -> bytes:
    """The first vector of a message."""
    vectors = load(device_files()[driver]).file.vector
    return next(parse_bytes(vector.hex) for vector in vectors if vector.message == message)
