"""Maker Model: what it is, serial 9600 8N1, polled.

Request `R` CR once a second; the answer is one line of printable ASCII that ends in CR:

    offset  what
    0       "$"
    1       signal, decimal, 0..65535 counts
            ","
            battery, decimal, 0..100 %
            "*"
            exclusive or of the characters between "$" and "*", two hexadecimal digits

Source: name here the public document that the layout and the constants are from.
"""

import re
from collections.abc import Iterator

from devicehub.driver import Driver, SerialLink
from devicehub.model.device import Category, Channel
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.model.units import Unit
from devicehub.wire.checksum import xor8
from devicehub.wire.forbidden import Allowed
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Poll

REQUEST = b"R\r"
_ANSWER = re.compile(rb"(\d{1,5}),(\d{1,3})")


def decode(frame: bytes) -> Iterator[Sample]:
    """One answer, without "$" and CR, to its two measurements. Raises `ProtocolError`."""
    body, star, digits = frame.rpartition(b"*")
    if not star or len(digits) != 2:
        raise ProtocolError(Reason.TRUNCATED, "no checksum")
    if digits != b"%02X" % xor8(body):
        raise ProtocolError(Reason.CHECKSUM, f"{digits!r} over {body!r}")
    answer = _ANSWER.fullmatch(body)
    if answer is None:
        raise ProtocolError(Reason.UNEXPECTED, f"not an answer: {body!r}")
    yield Measurement("signal", int(answer[1]))
    yield Measurement("battery", int(answer[2]))


DRIVER = Driver(
    title="Maker Model",
    category=Category.TRACE,
    link=SerialLink(baud=9600),
    channels=(
        Channel(name="signal", title="Signal", unit=Unit.COUNT, low=0, high=65535, resolution=1),
        Channel(name="battery", title="Battery", unit=Unit.PERCENT, low=0, high=100, resolution=1),
    ),
    integrity="xor8",
    framer=lambda: DelimiterFramer(b"\r", start=b"$", limit=32),
    decode=decode,
    polls=(Poll(REQUEST, period=1.0, timeout=0.5),),
    allowed=Allowed(frozenset({Packet(REQUEST)})),
)
