"""Writes the least of a baseline JPEG: grey, one value per block of 8 x 8 pixels.

Source: ITU-T T.81, sections B.2 and F.1; the Huffman table of DC differences is its table K.3.
"""

import struct

import numpy as np

DC_LENGTHS = bytes.fromhex("00010501010101010100000000000000")
# Codes of table K.3 for categories 0..11.
DC_CODES = ("00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110")


def grey(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], app1: list[bytes]) -> bytes:
    """A JPEG of `pixels`, shape (height, width), with these APP1 segments before the picture."""
    height, width = pixels.shape
    out = b"\xff\xd8" + _segment(0xE0, b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    out += b"".join(_segment(0xE1, content) for content in app1)
    # Quantiser 8 for everything: then a DC coefficient is the block's mean minus 128.
    out += _segment(0xDB, b"\x00" + b"\x08" * 64)
    out += _segment(0xC0, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))
    out += _segment(0xC4, b"\x00" + DC_LENGTHS + bytes(range(12)))
    # One AC code, "0": end of block.
    out += _segment(0xC4, b"\x10" + b"\x01".ljust(16, b"\0") + b"\x00")
    out += _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
    return out + _scan(_means(pixels)) + b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _means(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[int]:
    """Mean of each block minus 128, row by row; edges are repeated to whole blocks."""
    height, width = pixels.shape
    whole = np.pad(pixels, ((0, -height % 8), (0, -width % 8)), mode="edge")
    blocks = whole.reshape(whole.shape[0] // 8, 8, whole.shape[1] // 8, 8).mean(axis=(1, 3))
    return [int(value) for value in np.rint(blocks - 128).ravel()]


def _scan(values: list[int]) -> bytes:
    bits, last = [], 0
    for value in values:
        difference, last = value - last, value
        category = abs(difference).bit_length()
        extra = difference if difference >= 0 else difference + (1 << category) - 1
        bits.append(DC_CODES[category] + (f"{extra:0{category}b}" if category else "") + "0")
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    return int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
