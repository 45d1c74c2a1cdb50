"""Frames with a length and frames with an end on one line."""

from random import Random

import pytest

from devicehub.devicefile.framers import framer
from devicehub.devicefile.names import name_complaints
from devicehub.devicefile.schema import FrameTable
from devicehub.model.errors import ProtocolError
from devicehub.wire.packet import Packet
from tests.conformance import chunked
from tests.unit.devicefile.files import tables

SIZED, ASIDE = b"\x02\x00\x05ab", b"REV one\x06!"
LINE = {"kind": "length", "sync": "02 00", "at": 2, "most": 32, "aside_start": "'REV'", "aside_end": "21"}


def _sound(frame: bytes) -> None:
    assert frame


def _cut(*pieces: bytes) -> list[bytes | str]:
    cutter = framer(FrameTable.model_validate(LINE), _sound)
    found = [one for piece in pieces for one in cutter.feed(piece)]
    return [str(one.reason) if isinstance(one, ProtocolError) else one for one in found]


def test_each_kind_is_cut_by_its_own_rule() -> None:
    assert _cut(SIZED + ASIDE + ASIDE + SIZED) == [SIZED, ASIDE, ASIDE, SIZED]


def test_one_may_hold_the_beginning_of_the_other() -> None:
    assert _cut(b"\x02\x00\x06REV" + b"REV\x02\x00\x05!" + SIZED) == [b"\x02\x00\x06REV", b"REV\x02\x00\x05!", SIZED]


def test_bytes_between_them_are_one_fault() -> None:
    assert _cut(b"noise" + SIZED + b"more" + ASIDE) == ["garbage", SIZED, "garbage", ASIDE]


def test_one_without_an_end_is_given_up_and_what_follows_is_found() -> None:
    assert _cut(b"REV" + b"x" * 40 + SIZED) == ["overflow", SIZED]


def test_a_length_that_cannot_be_is_a_fault_and_the_hunt_goes_on() -> None:
    assert _cut(b"\x02\x00\xff" + ASIDE) == ["length", ASIDE]


@pytest.mark.parametrize("seed", range(5))
def test_it_does_not_matter_how_the_bytes_come(seed: int) -> None:
    line = b"RE" + SIZED + b"\x02" + ASIDE + b"REV" + b"y" * 50 + ASIDE + b"\x02\x00\xffR" + SIZED
    pieces = [packet.data for packet in chunked([Packet(line)], Random(seed))]
    assert _cut(*pieces) == _cut(line)
    assert _cut(*(bytes([byte]) for byte in line)) == _cut(line)


def test_a_beginning_without_an_end_is_a_mistake_in_the_file() -> None:
    file = tables(frame={name: value for name, value in LINE.items() if name != "aside_end"})
    assert [one.text for one in name_complaints(file)] == [
        "frame.aside_start: needs frame.aside_end and frame.sync, which tells the frames apart",
        "vector: there is none of a message; add bytes and what they mean, or set untested = true",
    ]
