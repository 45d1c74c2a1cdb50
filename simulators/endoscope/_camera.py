"""What the endoscope simulators look at, and a small baseline JPEG encoder (ITU-T T.81, 4:2:0, restart per MCU row).

The encoder works on arrays: one pass of DCT over the whole picture, one Huffman pass per MCU row. Only the
first 16 coefficients in zigzag order are kept, so no run of zeros is ever longer than 14.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ZIGZAG = (0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5)
_LUMA_QUANTA = (16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40)  # zigzag order, then constant
_SYMBOL_LENGTHS_DC = ((0, 1, 5, 1, 1, 1, 1, 1, 1), (0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1))
_SYMBOL_LENGTHS_AC = (
    (0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125),
    (0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119),
)
# The frequent AC symbols as the standard orders them; the rest of its table follows a regular pattern.
_AC_FRONT = (
    "01 02 03 00 04 11 05 12 21 31 41 06 13 51 61 07 22 71 14 32 81 91 a1 08 23 42 b1 c1 15 52 d1 f0 24 33 62 72 82",
    (
        "00 01 02 03 11 04 05 21 31 06 12 41 51 07 61 71 13 22 32 81 08 14 42 91 a1 b1 c1 09 23 33 52 f0 15 62 72 d1 "
        "0a 16 24 34 e1 25 f1"
    ),
)
_QUALITY_SHIFT = 1

Grid = NDArray[np.float64]
Ints = NDArray[np.int64]


def _ac_symbols(table: int) -> list[int]:
    front = [int(word, 16) for word in _AC_FRONT[table].split()]
    every = [run << 4 | size for run in range(16) for size in range(1, 11)]
    return front + [symbol for symbol in every if symbol not in front]


def _huffman_segment() -> bytes:
    body = b""
    for table in (0, 1):
        for kind, lengths, symbols in (
            (0x00, _SYMBOL_LENGTHS_DC[table], list(range(12))),
            (0x10, _SYMBOL_LENGTHS_AC[table], _ac_symbols(table)),
        ):
            body += bytes([kind | table, *lengths, *([0] * (16 - len(lengths))), *symbols])
    return b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body


def _codes(lengths: tuple[int, ...], symbols: list[int]) -> tuple[Ints, Ints]:
    """Code and length by symbol, canonical order."""
    code_of, length_of = np.zeros(256, np.int64), np.zeros(256, np.int64)
    code, at = 0, 0
    for length, count in enumerate(lengths, 1):
        for symbol in symbols[at : at + count]:
            code_of[symbol], length_of[symbol] = code, length
            code += 1
        at += count
        code <<= 1
    return code_of, length_of


def _sizes(values: Ints) -> Ints:
    """Bits needed for the magnitude of each value."""
    return np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)


class Encoder:
    """Encodes a grey picture with one tint. Heights and widths are multiples of 16."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        grid = np.arange(8)
        basis = np.cos((2 * grid[None, :] + 1) * grid[:, None] * np.pi / 16) / 2
        basis[0] /= np.sqrt(2)
        self._basis = basis
        self._dc = [_codes(_SYMBOL_LENGTHS_DC[t], list(range(12))) for t in (0, 1)]
        self._ac = [_codes(_SYMBOL_LENGTHS_AC[t], _ac_symbols(t)) for t in (0, 1)]
        self._quanta = np.array([q >> _QUALITY_SHIFT for q in _LUMA_QUANTA])

    def encode(self, grey: Grid, tint: tuple[int, int], blur: float = 0.0, *, tables: bool = True) -> bytes:
        """A whole JPEG. `tint`: Cb and Cr offsets; `blur`: Gaussian sigma in pixels; `tables`: with Huffman tables."""
        rows = self._luma(grey, blur)
        scans = [self._mcu_row(row, tint) for row in rows]
        out = self._head(tables=tables)
        for index, scan in enumerate(scans):
            out += scan
            if index + 1 < len(scans):
                out += bytes([0xFF, 0xD0 + index % 8])
        return bytes(out) + b"\xff\xd9"

    def _luma(self, grey: Grid, blur: float) -> Ints:
        """Quantised zigzag coefficients, shape (MCU rows, 4 blocks per MCU in scan order, 16)."""
        height, width = self._height // 16, self._width // 16
        blocks = (grey - 128).reshape(height, 2, 8, width, 2, 8).transpose(0, 3, 1, 4, 2, 5)
        spectrum = self._basis @ blocks @ self._basis.T
        frequency = np.arange(8) * np.pi / 8
        damping = np.exp(-(blur**2) * (frequency[:, None] ** 2 + frequency[None, :] ** 2) / 2)
        flat = (spectrum * damping).reshape(height, width * 4, 64)[:, :, _ZIGZAG]
        quantised: Ints = np.rint(flat / self._quanta).astype(np.int64)
        return quantised

    def _mcu_row(self, luma: Ints, tint: tuple[int, int]) -> bytes:
        """Entropy-coded bytes of one restart interval."""
        mcus = len(luma) // 4
        blocks = np.zeros((mcus, 6, 16), np.int64)
        blocks[:, :4] = luma.reshape(mcus, 4, 16)
        for component in (0, 1):
            blocks[:, 4 + component, 0] = tint[component] * 8 // (17 >> _QUALITY_SHIFT)
        dc = blocks[:, :, 0].copy()
        dc[:, :4] = np.diff(blocks[:, :4, 0].reshape(-1), prepend=0).reshape(mcus, 4)
        dc[1:, 4:] = 0
        blocks[:, :, 0] = dc
        chroma = np.tile(np.array([0, 0, 0, 0, 1, 1]), mcus)
        return self._pack(blocks.reshape(-1, 16), chroma)

    def _pack(self, blocks: Ints, chroma: Ints) -> bytes:
        """Huffman-code blocks whose first column is already a difference; `chroma`: table of each block."""
        row, column = np.nonzero(blocks[:, 1:])
        column += 1
        first = np.diff(row, prepend=-1) != 0
        run = np.where(first, column, np.diff(column, prepend=0)) - 1
        values = np.concatenate([blocks[:, 0], blocks[row, column], np.zeros(len(blocks), np.int64)])
        sizes = _sizes(values)
        symbols = sizes.copy()
        symbols[len(blocks) : len(blocks) + len(row)] += run << 4
        block = np.concatenate([np.arange(len(blocks)), row, np.arange(len(blocks))])
        place = np.concatenate([np.zeros(len(blocks), np.int64), column, np.full(len(blocks), 63)])
        code, length = self._lookup(symbols, place == 0, chroma[block])
        code = code << sizes | np.where(values >= 0, values, values + (1 << sizes) - 1)
        order = np.argsort(block * 64 + place)
        return _bits(code[order], (length + sizes)[order])

    def _lookup(self, symbols: Ints, is_dc: NDArray[np.bool_], chroma: Ints) -> tuple[Ints, Ints]:
        tables = (*self._dc, *self._ac)
        which = np.where(is_dc, chroma, chroma + 2)
        code = np.stack([table[0] for table in tables])[which, symbols]
        return code, np.stack([table[1] for table in tables])[which, symbols]

    def _head(self, *, tables: bool) -> bytearray:
        quanta = [q >> _QUALITY_SHIFT for q in _LUMA_QUANTA] + [63] * 48
        chroma = [17 >> _QUALITY_SHIFT] + [63] * 63
        out = bytearray(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x00\x00")
        out += b"\xff\xdb\x00\x84\x00" + bytes(quanta) + b"\x01" + bytes(chroma)
        size = self._height.to_bytes(2, "big") + self._width.to_bytes(2, "big")
        out += b"\xff\xc0\x00\x11\x08" + size + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
        if tables:
            out += _huffman_segment()
        out += b"\xff\xdd\x00\x04" + (self._width // 16).to_bytes(2, "big")
        return out + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"


def _bits(codes: Ints, lengths: Ints) -> bytes:
    """Codes to bytes, the last byte filled with ones, FF stuffed."""
    index = np.repeat(np.arange(len(codes)), lengths)
    offset = np.arange(len(index)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    bits = (codes[index] >> (lengths[index] - 1 - offset) & 1).astype(np.uint8)
    padded = np.concatenate([bits, np.ones(-len(bits) % 8, np.uint8)])
    return np.packbits(padded).tobytes().replace(b"\xff", b"\xff\x00")


@lru_cache(maxsize=64)
def picture(width: int, height: int, view: tuple[int, int], blur: float, *, dark: bool, tables: bool) -> bytes:
    """One JPEG of the inside of a pipe. `view`: phase of the picture (0..7) and which lens."""
    phase, lens = view
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    radius = np.hypot(x - width * (0.5 + 0.02 * phase), y - height / 2) / height
    angle = np.arctan2(y - height / 2, x - width * (0.5 + 0.02 * phase))
    rings = 40 * np.cos(40 * np.log(radius + 0.08) + phase * np.pi / 4)
    seams = 25 * np.sign(np.cos(6 * angle + lens)) * (radius > 0.12)
    grain = 8 * np.sin(x * 0.9 + phase) * np.sin(y * 1.1)
    grey = np.clip(130 * np.minimum(radius * 2.2, 1) + 35 + rings * np.minimum(radius * 3, 1) + seams + grain, 0, 255)
    if dark:
        grey = np.full_like(grey, 4.0)
    tint = (0, 0) if dark else ((-10, 14) if lens == 0 else (12, -8))
    return Encoder(width, height).encode(grey, tint, blur, tables=tables)
