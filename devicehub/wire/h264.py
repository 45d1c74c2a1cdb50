"""H.264 at the level of its units: what stands by itself, and how large its picture is. No pixel is decoded.

Annex B (ITU-T H.264): units behind 00 00 01, the first byte's low five bits their type: 1 slice, 5 slice of a key frame
(IDR), 7 sequence parameter set, 8 picture parameter set. Within a unit 00 00 03 stands for 00 00. A sequence
parameter set holds, in Exp-Golomb codes, the picture's size in blocks of 16 pixels and what is cut off its edges
(7.3.2.1.1); scaling lists are passed over.

What units cannot show: damage within a slice. All functions are O(n) and raise nothing but `ProtocolError`.
"""

from devicehub.model.errors import ProtocolError, Reason

START = b"\x00\x00\x01"
SLICE, KEY, SPS, PPS = 1, 5, 7, 8
MAX_PIXELS = 16_000_000
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_GOLOMB_MOST = 31


def units(data: bytes) -> list[bytes]:
    """The units without their start codes. Raises `ProtocolError` where data do not begin with one."""
    if not data.startswith((START, b"\x00" + START)):
        raise ProtocolError(Reason.CORRUPT, f"no unit of H.264 begins with {data[:4].hex(' ')}")
    return [unit.rstrip(b"\0") for unit in data.split(START)[1:] if unit.rstrip(b"\0")]


def kind(unit: bytes) -> int:
    """A unit's type."""
    return unit[0] & 0x1F


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels by a sequence parameter set. Raises `ProtocolError`."""
    bits = _Bits(sps[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    chroma = _chroma(bits) if profile in _HIGH else 1
    bits.golomb()
    _order(bits)
    bits.golomb()
    bits.take(1)
    width, height = bits.golomb() + 1, bits.golomb() + 1
    whole = bits.take(1)
    if not whole:
        bits.take(1)
    bits.take(1)
    left, right, top, bottom = (bits.golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    across, down = (2 if chroma in {1, 2} else 1), (2 if chroma == 1 else 1) * (2 - whole)
    size = width * 16 - (left + right) * across, height * 16 * (2 - whole) - (top + bottom) * down
    if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
        raise ProtocolError(Reason.LENGTH, f"a picture of {size[0]} by {size[1]} pixels")
    return size


def _chroma(bits: "_Bits") -> int:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if bits.take(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _scaling(bits, 16 if number < 6 else 64)
    return chroma


def _scaling(bits: "_Bits", size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _order(bits: "_Bits") -> None:
    """How pictures are ordered."""
    how = bits.golomb()
    if how == 0:
        bits.golomb()
    elif how == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.golomb()
        if count > 255:
            raise ProtocolError(Reason.CORRUPT, f"{count} frames in a cycle")
        for _ in range(count):
            bits.signed()


class _Bits:
    """Bits of bytes, highest first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:256], "big")
        self._left = 8 * len(data[:256])

    def take(self, count: int) -> int:
        """The next `count` bits."""
        self._left -= count
        if self._left < 0:
            raise ProtocolError(Reason.TRUNCATED, "parameter set cut off")
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """The next unsigned Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _GOLOMB_MOST:
                raise ProtocolError(Reason.CORRUPT, "no Exp-Golomb code")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """The next signed Exp-Golomb code."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
