"""Atom Fast / KB Radar pocket gamma detector, BLE notifications.

One characteristic, 70BC767E-7A1A-4304-81ED-14B9AF54F7BD, notifies 13 bytes, little-endian:

    offset  type  what
    0       u8    flags
    1       f32   accumulated dose, mSv
    5       f32   dose rate, uSv/h
    9       u16   pulses in the last 2 s
    11      u8    battery, %
    12      i8    temperature, Cel

Source: captures in mrkrasser/AtomFast-KBRadar-py (facts only); decoding reproduces them.
The protocol has no integrity check: values are range-checked instead.
"""

import math
import struct
from collections.abc import Iterator

from devicehub.driver import BleLink, Driver
from devicehub.model.device import Category, Channel
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.model.units import Unit
from devicehub.wire.numbers import single

READINGS = "70bc767e-7a1a-4304-81ed-14b9af54f7bd"
_RECORD = struct.Struct("<BffHBb")


def decode(frame: bytes) -> Iterator[Sample]:
    """One notification to its five measurements. Raises `ProtocolError` for another length or a senseless float."""
    if len(frame) != _RECORD.size:
        raise ProtocolError(Reason.LENGTH, f"{len(frame)} bytes instead of {_RECORD.size}")
    _, dose, rate, pulses, battery, temperature = _RECORD.unpack(frame)
    if not (math.isfinite(dose) and math.isfinite(rate)):
        raise ProtocolError(Reason.RANGE, "dose or rate is not a number")
    yield Measurement("dose", single(dose))
    yield Measurement("dose-rate", single(rate))
    yield Measurement("count-rate", pulses / 2)
    yield Measurement("battery", battery)
    yield Measurement("temperature", temperature)


DRIVER = Driver(
    title="Atom Fast gamma detector (BLE)",
    category=Category.RADIATION,
    link=BleLink(notify=(READINGS,), name="AtomFast"),
    channels=(
        Channel(name="dose", title="Accumulated dose", unit=Unit.MILLISIEVERT, low=0),
        Channel(name="dose-rate", title="Dose rate", unit=Unit.MICROSIEVERT_PER_HOUR, low=0, high=1e6),
        Channel(name="count-rate", title="Count rate", unit=Unit.PER_SECOND, low=0),
        Channel(name="battery", title="Battery", unit=Unit.PERCENT, low=0, high=100, resolution=1),
        Channel(name="temperature", title="Detector temperature", unit=Unit.CELSIUS, low=-40, high=85, resolution=1),
    ),
    capabilities=("gamma",),
    decode=decode,
)
