"""Check values over the ASCII digits 123456789, from the catalogue of parametrised CRC algorithms.

Source: Greg Cook's catalogue of parametrised CRC algorithms (reveng), field `check`.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.wire.checksum import (
    crc,
    crc16_ccitt_false,
    crc16_spi_fujitsu,
    crc16_xmodem,
    crc32,
    crc_not_augmented,
    negated_sum16,
    sum8,
    sum16,
    xor8,
)

DIGITS = b"123456789"

CATALOGUE = [
    ("IBM-3740 (CCITT-FALSE)", crc16_ccitt_false, 0x29B1),
    ("IBM-3740 by table", crc(width=16, poly=0x1021, init=0xFFFF, reflected=False), 0x29B1),
    ("XMODEM", crc16_xmodem, 0x31C3),
    ("SPI-FUJITSU", crc16_spi_fujitsu, 0xE5CC),
    ("XMODEM by table", crc(width=16, poly=0x1021, init=0x0000, reflected=False), 0x31C3),
    ("GENIBUS", crc(width=16, poly=0x1021, init=0xFFFF, reflected=False, xorout=0xFFFF), 0xD64E),
    ("KERMIT", crc(width=16, poly=0x1021, init=0x0000, reflected=True), 0x2189),
    ("MCRF4XX", crc(width=16, poly=0x1021, init=0xFFFF, reflected=True), 0x6F91),
    ("IBM-SDLC (X-25)", crc(width=16, poly=0x1021, init=0xFFFF, reflected=True, xorout=0xFFFF), 0x906E),
    ("MODBUS", crc(width=16, poly=0x8005, init=0xFFFF, reflected=True), 0x4B37),
    ("ARC", crc(width=16, poly=0x8005, init=0x0000, reflected=True), 0xBB3D),
    ("ISO-HDLC (CRC-32)", crc32, 0xCBF43926),
    (
        "ISO-HDLC by table",
        crc(width=32, poly=0x04C11DB7, init=0xFFFFFFFF, reflected=True, xorout=0xFFFFFFFF),
        0xCBF43926,
    ),
    ("MAXIM-DOW (CRC-8)", crc(width=8, poly=0x31, init=0, reflected=True), 0xA1),
    ("SMBUS (CRC-8)", crc(width=8, poly=0x07, init=0, reflected=False), 0xF4),
    ("RIELLO", crc(width=16, poly=0x1021, init=0xB2AA, reflected=True), 0x63D0),
    ("OPENPGP (CRC-24)", crc(width=24, poly=0x864CFB, init=0xB704CE, reflected=False), 0x21CF02),
    ("sum of bytes, 8 bit", sum8, 0xDD),
    ("sum of bytes, 16 bit", sum16, 0x01DD),
    ("negated sum, 16 bit", negated_sum16, 0xFE23),
    ("exclusive or", xor8, 0x31),
]


@pytest.mark.parametrize(("name", "function", "value"), CATALOGUE, ids=[name for name, *_ in CATALOGUE])
def test_the_check_value_is_that_of_the_catalogue(name: str, function: Callable[[bytes], int], value: int) -> None:
    assert function(DIGITS) == value


@given(st.binary(max_size=200))
def test_the_table_and_the_standard_library_agree(data: bytes) -> None:
    assert crc(width=16, poly=0x1021, init=0xFFFF, reflected=False)(data) == crc16_ccitt_false(data)


@given(st.binary(max_size=200))
def test_a_frame_with_its_negated_sum_adds_up_to_nothing(data: bytes) -> None:
    assert (sum16(data) + negated_sum16(data)) & 0xFFFF == 0


@given(st.binary(min_size=1, max_size=60), st.integers(0, 2**16))
def test_every_flipped_bit_changes_a_crc(data: bytes, place: int) -> None:
    damaged = bytearray(data)
    damaged[place // 8 % len(data)] ^= 1 << place % 8
    for _, function, _ in CATALOGUE[:17]:
        assert function(bytes(damaged)) != function(data)


def test_a_message_that_is_not_augmented_gives_the_published_value() -> None:
    """ThingMagic: the version request `ff 00 03` and its check 1d0c."""
    check = crc_not_augmented(width=16, poly=0x1021, init=0xFFFF)
    assert check(bytes.fromhex("0003")) == 0x1D0C


def bit_by_bit(data: bytes, init: int, *, reflected: bool = False, zeros: int = 16) -> int:
    """The definition: polynomial 1021, the message and so many zeros shifted in, one bit at a time."""
    if reflected:
        data = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    value, bits = init, "".join(f"{byte:08b}" for byte in data)
    for bit in bits if not zeros else []:
        value = (value << 1 | int(bit)) ^ (0x11021 if value & 0x8000 else 0)
    for bit in bits if zeros else []:
        value = (value << 1 & 0xFFFF) ^ (0x1021 if (value >> 15) ^ int(bit) else 0)
    return int(f"{value & 0xFFFF:016b}"[::-1], 2) if reflected else value & 0xFFFF


@given(st.binary(max_size=60), st.integers(0, 0xFFFF))
def test_those_of_polynomial_1021_are_what_their_definition_says(data: bytes, init: int) -> None:
    assert crc(width=16, poly=0x1021, init=init, reflected=False)(data) == bit_by_bit(data, init)
    assert crc(width=16, poly=0x1021, init=init, reflected=True)(data) == bit_by_bit(data, init, reflected=True)
    assert crc_not_augmented(width=16, poly=0x1021, init=init)(data) == bit_by_bit(data, init, zeros=0)
