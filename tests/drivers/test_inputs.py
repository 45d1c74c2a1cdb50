"""What an input of Atheris means: a packet as it is, and each edit at any place of one, however large."""

import numpy as np
import pytest

from tests.drivers.inputs import CLOSE, EDITS, FILLED, FROM_END, GROWN, KIND, NEAR, edited

LARGE = bytes(range(256)) * 1600
PLACE = 300_000
NAMES = [edit.__name__.removeprefix("_") for edit in EDITS]


def edit(name: str, place: int, much: int = 0, new: bytes = b"", ends: int = 0) -> bytes:
    """An edit as an input writes it. `ends`: `CLOSE`, `FROM_END`."""
    return bytes([NAMES.index(name) | ends]) + place.to_bytes(3, "big") + bytes([much or len(new)]) + new


CASES = [
    (edit("flip", PLACE, 0x01), LARGE[:PLACE] + bytes([LARGE[PLACE] ^ 1]) + LARGE[PLACE + 1 :]),
    (edit("flip", PLACE), LARGE[:PLACE] + bytes([LARGE[PLACE] ^ 0xFF]) + LARGE[PLACE + 1 :]),
    (edit("flip", 1, 0x80, ends=FROM_END), LARGE[:-1] + b"\x7f"),
    (edit("flip", len(LARGE), 1), LARGE),
    (edit("flip", NEAR + 1 + 5, 1, ends=CLOSE), LARGE[:5] + b"\x04" + LARGE[6:]),
    (edit("flip", NEAR + 1 + 1, 1, ends=CLOSE | FROM_END), LARGE[:-1] + b"\xfe"),
    (edit("replace", PLACE, new=b"abc"), LARGE[:PLACE] + b"abc" + LARGE[PLACE + 3 :]),
    (edit("fill", PLACE, 7), LARGE[:PLACE] + b"\x07" * FILLED + LARGE[PLACE + FILLED :]),
    (edit("fill", 2, 7, ends=FROM_END), LARGE[:-2] + b"\x07\x07"),
    (edit("comb", 1602 + 5, 6), bytes(6 if at % 1601 == 6 else byte for at, byte in enumerate(LARGE))),
    (edit("comb", 1602 + 5, 4), bytes(0xFF if at % 1601 == 6 else byte for at, byte in enumerate(LARGE))),
    (edit("insert", PLACE, new=b"abc"), LARGE[:PLACE] + b"abc" + LARGE[PLACE:]),
    (edit("delete", PLACE, 200), LARGE[:PLACE] + LARGE[PLACE + 200 :]),
    (edit("truncate", PLACE), LARGE[:PLACE]),
    (edit("truncate", 1, ends=FROM_END), LARGE[:-1]),
    (edit("behead", PLACE), LARGE[PLACE:]),
    (edit("repeat", PLACE, 20), LARGE[:PLACE] + LARGE[PLACE : PLACE + 20] + LARGE[PLACE:]),
    (edit("flip", 0, 1) + edit("insert", 1, new=b"x") + edit("behead", 1), b"x" + LARGE[1:]),
    (b"", LARGE),
]


@pytest.mark.parametrize(("edits", "expected"), CASES)
def test_an_edit_reaches_any_place_of_a_large_packet(edits: bytes, expected: bytes) -> None:
    assert edited(LARGE, edits) == expected


def test_every_kind_of_edit_is_tried_above() -> None:
    assert {NAMES[edits[0] & KIND] for edits, _ in CASES if edits} == set(NAMES)


def test_an_edit_that_ends_early_is_somewhere_else_with_every_byte() -> None:
    """Edits that flip, of two bytes: hardly two of them flip the same byte, and together they reach from end to end."""
    assert NAMES[0] == "flip"
    before = np.frombuffer(LARGE, np.uint8)
    flipped = [
        np.flatnonzero(np.frombuffer(edited(LARGE, bytes([0, rest])), np.uint8) != before) for rest in range(256)
    ]
    assert {len(places) for places in flipped} == {1}
    reached = {int(places[0]) for places in flipped}
    assert len(reached) > 250
    assert max(reached) - min(reached) > 0.95 * len(LARGE)


@pytest.mark.parametrize("name", NAMES)
def test_a_packet_of_nothing_takes_every_edit(name: str) -> None:
    assert edited(b"", edit(name, 5, 3, b"abc")) == (b"abc" if name in {"replace", "insert"} else b"")


def test_a_packet_grows_by_a_few_bytes_alone() -> None:
    assert len(edited(bytes(255), edit("repeat", 0, 255) * 50)) <= 255 + GROWN + 255
