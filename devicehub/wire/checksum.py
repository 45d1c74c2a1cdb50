"""Checksums as the devices compute them. C-speed where the standard library has the polynomial.

Check values over b"123456789" are in `tests/unit/wire/test_checksum.py`; the names follow the
catalogue of parametrised CRC algorithms (Koopman / reveng).
"""

import binascii
import zlib
from collections.abc import Callable
from functools import lru_cache


def sum8(data: bytes) -> int:
    """Sum of all bytes modulo 256."""
    return sum(data) & 0xFF


def sum16(data: bytes) -> int:
    """Sum of all bytes modulo 65536."""
    return sum(data) & 0xFFFF


def negated_sum16(data: bytes) -> int:
    """`0x10000 - sum` modulo 65536: appended big-endian, the whole adds up to zero (Zebra SSI)."""
    return -sum(data) & 0xFFFF


def xor8(data: bytes) -> int:
    """Exclusive or of all bytes."""
    value = 0
    for byte in data:
        value ^= byte
    return value


def crc16_ccitt_false(data: bytes) -> int:
    """CRC-16/CCITT-FALSE (IBM-3740): poly 1021, init FFFF, not reflected. Check 29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM: poly 1021, init 0, not reflected. Check 31C3."""
    return binascii.crc_hqx(data, 0)


def crc16_spi_fujitsu(data: bytes) -> int:
    """CRC-16/SPI-FUJITSU (AUG-CCITT): poly 1021, init 1D0F, not reflected. Check E5CC."""
    return binascii.crc_hqx(data, 0x1D0F)


def crc32(data: bytes) -> int:
    """CRC-32 as in zlib. Check CBF43926."""
    return zlib.crc32(data)


@lru_cache(maxsize=64)
def _table(width: int, poly: int, *, reflected: bool) -> tuple[int, ...]:
    """What each byte does to the register. `poly` is not reflected."""
    top, mask = 1 << (width - 1), (1 << width) - 1
    turned = _reversed(poly, width)
    table: list[int] = []
    for byte in range(256):
        value = byte if reflected else byte << (width - 8)
        for _ in range(8):
            if reflected:
                value = (value >> 1) ^ turned if value & 1 else value >> 1
            else:
                value = ((value << 1) ^ poly) & mask if value & top else value << 1 & mask
        table.append(value)
    return tuple(table)


def _reversed(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


_CCITT = (16, 0x1021)
_TURNED = bytes(_reversed(byte, 8) for byte in range(256))


def crc(*, width: int, poly: int, init: int, reflected: bool, xorout: int = 0) -> Callable[[bytes], int]:
    """Build a CRC of 8 bits or more. `poly` is given as the catalogues print it, never reflected."""
    if (width, poly) == _CCITT:
        return _ccitt(init, xorout, reflected=reflected)
    table = _table(width, poly, reflected=reflected)
    shift, mask = width - 8, (1 << width) - 1
    first = _reversed(init, width) if reflected else init

    def reflected_crc(data: bytes) -> int:
        value = first
        for byte in data:
            value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
        return value ^ xorout

    def plain_crc(data: bytes) -> int:
        value = first
        for byte in data:
            value = ((value << 8) & mask) ^ table[(value >> shift) ^ byte]
        return value ^ xorout

    return reflected_crc if reflected else plain_crc


def _ccitt(init: int, xorout: int, *, reflected: bool) -> Callable[[bytes], int]:
    """Those of the standard library's polynomial; reflected: with the bits of each byte and of the result turned."""

    def plain_crc(data: bytes) -> int:
        return binascii.crc_hqx(data, init) ^ xorout

    def reflected_crc(data: bytes) -> int:
        value = binascii.crc_hqx(data.translate(_TURNED), init)
        return (_TURNED[value & 0xFF] << 8 | _TURNED[value >> 8]) ^ xorout

    return reflected_crc if reflected else plain_crc


def crc_not_augmented(*, width: int, poly: int, init: int, xorout: int = 0) -> Callable[[bytes], int]:
    """Build a CRC of a message that no zeros are shifted in behind: its last bits stand in the result (ThingMagic)."""
    table = _table(width, poly, reflected=False)
    shift, mask = width - 8, (1 << width) - 1

    def remainder(data: bytes) -> int:
        value = init
        for byte in data:
            value = ((value << 8 | byte) & mask) ^ table[value >> shift]
        return value ^ xorout

    begun = binascii.crc_hqx(b"\0\0", init)

    def ccitt(data: bytes) -> int:
        """All but the last two bytes, as if these were the zeros behind them, and these."""
        if len(data) < 2:
            return remainder(data)
        return binascii.crc_hqx(data[:-2], begun) ^ int.from_bytes(data[-2:], "big") ^ xorout

    return ccitt if (width, poly) == _CCITT else remainder
