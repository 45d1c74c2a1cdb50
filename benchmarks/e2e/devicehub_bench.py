r"""The benchmark's line sensor: a driver as a third party would bring it, found by its entry point.

One line a reading, at 115200 baud: `$D0007,00000123,1000000000123456,+0023.41*5A\r\n`: device,
sequence number, 16-digit token (10^15 + microseconds), value, XOR of what stands between `$` and
`*`. The token travels as the reading's label.
"""

from collections.abc import Iterator

from devicehub.driver import Driver, SerialLink
from devicehub.model.device import Category, Channel
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.wire.checksum import xor8
from devicehub.wire.framer import DelimiterFramer


def decode(line: bytes) -> Iterator[Sample]:
    """One line to one measurement. Raises `ProtocolError` for a wrong checksum or form."""
    body, mark, check = line.rpartition(b"*")
    if not mark or not body.startswith(b"$"):
        raise ProtocolError(Reason.GARBAGE, "no line of the sensor")
    try:
        if xor8(body[1:]) != int(check, 16):
            raise ProtocolError(Reason.CHECKSUM)
        _, _, token, value = body.split(b",")
        yield Measurement("value", float(value), label=token.decode("ascii"))
    except ValueError as error:
        raise ProtocolError(Reason.GARBAGE, str(error)) from None


DRIVER = Driver(
    title="Line sensor of the end-to-end benchmark",
    category=Category.RADIATION,
    link=SerialLink(baud=115200),
    channels=(Channel(name="value", title="Value"),),
    integrity="XOR",
    framer=lambda: DelimiterFramer(b"\r\n", limit=128),
    decode=decode,
)
