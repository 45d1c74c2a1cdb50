"""Checks of a frame, compiled from their parameters: CRCs at C speed where the standard library has them.

A CRC is named by the Rocksoft parameters (width, poly, init, refin, refout, xorout) as the catalogues of CRC
algorithms print them, with the check value over "123456789", which is computed when the file is loaded.
"""

import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from devicehub.devicefile.schema import CheckTable
from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire import checksum

Compute = Callable[[bytes], int]
CHECKED = b"123456789"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a frame.

    `at`: offset of its bytes, negative from the end, and `place` where they are. `covered`: what it is a check of.
    `refuses`: a frame without it is none.
    """

    compute: Compute
    size: int
    at: int
    place: slice
    covered: slice
    encode: Callable[[int], bytes]
    decode: Callable[[bytes], int]
    zero_is_unchecked: bool
    refuses: bool = True

    def told(self, frame: bytes) -> int:
        """What the frame says. Raises `ProtocolError` for one too short to have a check."""
        held = frame[self.place]
        if len(held) != self.size:
            raise ProtocolError(Reason.TRUNCATED, "no room for the check")
        return self.decode(held)

    def verify(self, frame: bytes) -> None:
        """Raises `ProtocolError` unless the frame is whole."""
        told = self.told(frame)
        if told == 0 and self.zero_is_unchecked:
            return
        if told != self.compute(frame[self.covered]):
            raise ProtocolError(Reason.CHECKSUM, "check does not match")

    def says_unchecked(self, frame: bytes) -> bool:
        """Whether it is 0 and that means that there is none."""
        told = self.told(frame)
        return self.zero_is_unchecked and told == 0

    def fill(self, frame: bytes) -> bytes:
        """The frame with its check."""
        return self._written(frame, self.compute(frame[self.covered]))

    def blank(self, frame: bytes) -> bytes:
        """The frame with a check of zero."""
        return self._written(frame, 0)

    def _written(self, frame: bytes, value: int) -> bytes:
        out = bytearray(frame)
        if len(out[self.place]) != self.size:
            raise ProtocolError(Reason.TRUNCATED, "no room for the check")
        out[self.place] = self.encode(value)
        return bytes(out)


def compiled(table: CheckTable) -> Check:
    """A check from its parameters. Raises `ValueError` when its self-check fails or a parameter cannot be."""
    compute = _compute(table)
    if table.check is not None and compute(CHECKED) != table.check:
        raise ValueError(f"over '123456789' it gives {compute(CHECKED):#x}, not {table.check:#x}")
    if table.kind == "crc" and table.check is None:
        raise ValueError("a crc needs 'check', its value over '123456789'")
    digits = table.encoding == "hex"
    size = (2 if digits else 1) * (table.width // 8)
    at = -size if table.at is None else table.at
    end = table.end if table.end is not None else (min(0, at))
    place, covered = slice(at, at + size or None), slice(table.begin, end or None)
    return Check(compute, size, at, place, covered, *_coding(table), table.zero_is_unchecked, table.wrong == "refuse")


def _coding(table: CheckTable) -> tuple[Callable[[int], bytes], Callable[[bytes], int]]:
    width = table.width // 8
    if table.encoding == "hex":
        return (lambda value: b"%0*X" % (2 * width, value)), _from_digits
    little = table.encoding == "little"
    if little:
        return (lambda value: value.to_bytes(width, "little")), (lambda data: int.from_bytes(data, "little"))
    return (lambda value: value.to_bytes(width, "big")), (lambda data: int.from_bytes(data, "big"))


def _from_digits(data: bytes) -> int:
    try:
        return int(data, 16)
    except ValueError:
        raise ProtocolError(Reason.CHECKSUM, "check is not hexadecimal") from None


def _compute(table: CheckTable) -> Compute:
    if table.kind == "xor":
        return _xor(table)
    if table.kind == "sum":
        return _sum(table)
    return _crc(table)


def _xor(table: CheckTable) -> Compute:
    init = table.init

    def xor(data: bytes) -> int:
        return init ^ int(np.bitwise_xor.reduce(np.frombuffer(data, np.uint8))) if data else init

    return xor


def _sum(table: CheckTable) -> Compute:
    modulus = table.modulus or 1 << table.width
    words = {"u8": "", "u16le": "<u2", "u16be": ">u2"}[table.words]
    init, mask = table.init, (1 << table.width) - 1
    sign = table.negate

    def added(data: bytes) -> int:
        if words and len(data) % 2:
            raise ProtocolError(Reason.LENGTH, "an odd number of bytes in a sum of words")
        total = int(np.frombuffer(data, words).sum(dtype=np.uint64)) if words else sum(data)
        total = (total + init) % modulus
        if sign == "none":
            return total
        return mask - total if sign == "ones" else -total & mask

    return added


def _crc(table: CheckTable) -> Compute:
    named = (table.width, table.poly, table.init, table.refin, table.refout, table.xorout)
    if table.augmented and named == (32, 0x04C11DB7, 0xFFFFFFFF, True, True, 0xFFFFFFFF):
        return zlib.crc32
    if table.augmented and named[:2] == (16, 0x1021) and named[3:] == (False, False, 0):
        init = table.init
        return lambda data: binascii.crc_hqx(data, init)
    if not table.augmented:
        return checksum.crc_not_augmented(width=table.width, poly=table.poly, init=table.init, xorout=table.xorout)
    return checksum.crc(
        width=table.width, poly=table.poly, init=table.init, reflected=_reflected(table), xorout=table.xorout
    )


def _reflected(table: CheckTable) -> bool:
    if table.refin != table.refout:
        raise ValueError("refin and refout must be the same")
    return table.refin
