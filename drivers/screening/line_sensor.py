r"""Any sensor that says one line a reading: the protocol of the end-to-end benchmark. Serial, 115200 8N1.

    $D0007,00000123,1000000000123456,+0023.41*68\r\n

    "$"   device: a letter and four digits
    ","   sequence number, decimal, eight digits
    ","   token, decimal, sixteen digits: when the line was written, as 10^15 and microseconds since 1970
    ","   value, decimal with sign
    "*"   exclusive or of the characters between "$" and "*", two hexadecimal digits

It talks by itself, or, with the option `poll`, answers each "?" with a line. The token travels as the reading's label,
so that whoever gets the reading knows the line that it was. The sequence number is not looked at: a line that does not
arrive is seen by whoever counts tokens.

Source: the docstring of the benchmark's harness, `e2e.py`; see benchmarks/README.md.
"""

import re
from collections.abc import Iterator

from devicehub.driver import Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.wire.checksum import xor8
from devicehub.wire.forbidden import Allowed
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Poll

QUESTION = b"?"
_LINE = re.compile(rb"\$([A-Z]\d{4},\d{8},(\d{16}),([+-]\d{1,9}(?:\.\d{1,9})?))\*([0-9A-F]{2})")


def decode(line: bytes) -> Iterator[Sample]:
    """One line to one measurement. Raises `ProtocolError` for a wrong checksum or form."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ProtocolError(Reason.GARBAGE, "no line of the sensor")
    body, token, value, check = found.groups()
    if xor8(body) != int(check, 16):
        raise ProtocolError(Reason.CHECKSUM)
    yield Measurement("value", float(value), label=token.decode("ascii"))


def protocol(options: Options) -> DeviceProtocol:
    """A fresh conversation."""
    period = float(options["poll"])
    polls = (Poll(QUESTION, period),) if period else ()
    return FramedProtocol(DelimiterFramer(b"\r\n", limit=128), decode, polls)


DRIVER = Driver(
    title="Any sensor on the benchmark's line protocol",
    category=Category.SCREENING,
    link=SerialLink(baud=115200),
    plausibility="swapped digits pass the exclusive or; the exact form of a line",
    channels=(Channel(name="value", title="Value"),),
    options=(
        Option(name="poll", title="Seconds between two requests; 0: it talks by itself", default=0.0, low=0, high=3600),
    ),
    integrity="xor8",
    allowed=Allowed(frozenset({Packet(QUESTION)})),
    protocol=protocol,
)
