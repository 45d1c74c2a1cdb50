"""Makes length and checks of a frame right again, as its device file describes them."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from devicehub.devicefile.compiled import Compiled
from devicehub.model.errors import ProtocolError
from devicehub.wire.protocol import Reseal

Seal = Callable[[bytes], bytes | None]
"""Makes the length and the checks of one frame right; None for what is too short, or long, to be one."""


def resealer(compiled: Compiled) -> Reseal | None:
    """For packets of the device in which something was replaced; None where `sealer` is."""
    seal = sealer(compiled)
    if seal is None:
        return None

    def reseal(old: bytes, new: bytes) -> bytes:
        out = bytearray(new)
        for start, end in pairwise((0, *_ends(compiled, old))):
            if seal(old[start:end]) == old[start:end]:
                out[start:end] = seal(new[start:end]) or new[start:end]
        return bytes(out)

    return reseal


def _ends(compiled: Compiled, data: bytes) -> Iterator[int]:
    """Behind which bytes frames end."""
    framer = compiled.framing.framer()
    for at in range(len(data)):
        if any(isinstance(frame, bytes) for frame in framer.feed(data[at : at + 1])):
            yield at + 1


def sealer(compiled: Compiled) -> Seal | None:
    """What seals a frame of the device; None where its frames have neither a length nor a check, or no such form."""
    table, framing = compiled.file.frame, compiled.framing
    if table.kind not in {"length", "delimited"} or not (table.kind == "length" or compiled.file.check):
        return None
    least = max(table.least, table.at + table.width) + framing.tail

    def seal(frame: bytes) -> bytes | None:
        inner = framing.unwrapped(frame)
        if len(inner) < least:
            return None
        try:
            return framing.reply(inner[: len(inner) - framing.tail])
        except (ProtocolError, OverflowError):  # an odd number of bytes in a sum of words; more than its length can say
            return None

    return seal
