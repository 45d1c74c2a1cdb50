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
def _table16(poly: int, *, reflected: bool) -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        value = byte if reflected else byte << 8
        for _ in range(8):
            if reflected:
                value = (value >> 1) ^ poly if value & 1 else value >> 1
            else:
                value = (value << 1) ^ poly if value & 0x8000 else value << 1
        table.append(value & 0xFFFF)
    return tuple(table)


def crc16(*, poly: int, init: int, reflected: bool, xorout: int = 0) -> Callable[[bytes], int]:
    """Build a 16-bit CRC. `poly` is given reflected when `reflected` is true (8408, A001)."""
    table = _table16(poly, reflected=reflected)

    def reflected_crc(data: bytes) -> int:
        value = init
        for byte in data:
            value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
        return value ^ xorout

    def plain_crc(data: bytes) -> int:
        value = init
        for byte in data:
            value = ((value << 8) & 0xFFFF) ^ table[(value >> 8) ^ byte]
        return value ^ xorout

    return reflected_crc if reflected else plain_crc
