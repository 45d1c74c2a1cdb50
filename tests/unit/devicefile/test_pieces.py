"""A message that comes in several frames: joined, told once, dropped when it does not fit, and simulated in pieces."""

from pathlib import Path

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.devicefile.simulate import trial
from devicehub.model.errors import ConfigError
from devicehub.model.reading import Scan
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from tests.unit.devicefile.files import SMALL, write

FILE = SMALL.replace(
    "[[request]]",
    """\
[[channel]]
name = "code"
title = "Code"
kind = "scan"
[[message]]
name = "part"
match = { kind = 5 }
fields = [
    { name = "number", type = "u8" },
    { name = "flags", type = "u8", bits = { more = [0] } },
    { name = "data", type = "bytes" },
]
piece = { of = "scan", data = "data", more = "more", number = "number", size = 4, most = 16, within_s = 0.6 }
[[message]]
name = "scan"
fields = [{ name = "length", type = "u8" }, { name = "text", type = "bytes", size = "length" }]
scan = [{ channel = "code", field = "text", symbology = "other" }]
[[request]]
name = "fetch"
send = "05"
replies = ["part"]
timeout_s = 0.5
[conversation]
start = ["fetch"]
[[vector]]
message = "scan"
hex = "08 05 00 01 06 61 62 63 3a    07 05 01 00 64 65 66 3c"
decoded = { length = 6, text = "'abcdef'" }
samples = ["code other b'abcdef' good"]
source = "worked out by hand"
[simulate.values]
scan = { text = "'abcdef'" }
[[request]]""",
    1,
)
FIRST, LAST = (bytes.fromhex(text) for text in ("0805000106616263 3a", "07050100646566 3c"))


@pytest.fixture
def protocol(tmp_path: Path) -> Conversation:
    made = Conversation(load(write(tmp_path, FILE)), {})
    made.start(0.0)
    return made


def told(*steps: Step) -> tuple[list[bytes], list[str]]:
    scans = [one.data for step in steps for one in step.samples if isinstance(one, Scan)]
    return scans, [str(fault.reason) for step in steps for fault in step.faults]


def fed(protocol: Conversation, *pieces: tuple[float, bytes]) -> tuple[list[bytes], list[str]]:
    return told(*(protocol.on_packet(at, Packet(data)) for at, data in pieces))


def test_two_pieces_are_one_scan_and_the_answer(protocol: Conversation) -> None:
    assert fed(protocol, (0.1, FIRST)) == ([], [])
    step = protocol.on_packet(0.2, Packet(LAST))
    assert told(step) == ([b"abcdef"], [])
    assert [packet.data.hex() for packet in step.write] == ["020103"]  # the next request: the line is free


def test_a_piece_gives_the_next_as_long_as_the_first_had(protocol: Conversation) -> None:
    step = protocol.on_packet(0.4, Packet(FIRST))
    assert step.wake_at == pytest.approx(0.9)
    assert fed(protocol, (0.8, LAST)) == ([b"abcdef"], [])


def test_a_piece_that_is_missing_drops_the_whole(protocol: Conversation) -> None:
    assert fed(protocol, (0.1, LAST)) == ([], ["sequence"])
    assert fed(protocol, (0.2, FIRST), (0.3, FIRST), (0.4, LAST)) == ([b"abcdef"], ["sequence"])


def test_a_rest_that_comes_too_late_is_no_rest(protocol: Conversation) -> None:
    assert fed(protocol, (0.1, FIRST), (0.69, LAST)) == ([b"abcdef"], [])
    assert fed(protocol, (2.1, FIRST), (2.71, LAST)) == ([], ["truncated", "sequence"])


def test_a_whole_has_a_most(protocol: Conversation) -> None:
    pieces = [bytes([9, 5, number, 1]) + b"\x0fabcd"[:5] for number in range(4)]
    summed = [(0.1 + number / 100, piece + bytes([sum(piece) & 255])) for number, piece in enumerate(pieces)]
    assert fed(protocol, *summed) == ([], ["overflow"])


def test_a_whole_that_is_not_what_it_says_is_refused(protocol: Conversation) -> None:
    short = bytes.fromhex("0505000109")
    assert fed(protocol, (0.1, short + bytes([sum(short) & 255])), (0.2, LAST)) == ([], ["truncated"])


def test_the_simulator_sends_it_in_pieces(tmp_path: Path) -> None:
    assert trial(load(write(tmp_path, FILE))).receive(bytes.fromhex("020507")) == [FIRST, LAST]


def test_pieces_have_wrong_numbers_where_that_is_asked_for_and_make_no_whole(
    tmp_path: Path, protocol: Conversation
) -> None:
    device = trial(load(write(tmp_path, FILE)))
    device.do("misnumber")
    wrong = device.receive(bytes.fromhex("020507"))
    assert [piece[2] for piece in wrong] == [1, 2]
    assert fed(protocol, *((0.1, piece) for piece in wrong)) == ([], ["sequence", "sequence"])
    assert device.receive(bytes.fromhex("020507")) == [FIRST, LAST]


def test_where_nothing_has_a_number_none_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing that it says has a number"):
        trial(load(write(tmp_path))).do("misnumber")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('of = "scan"', 'of = "level"', "there is no such message without a match"),
        ('data = "data"', 'data = "number"', "must be a field of type 'bytes'"),
        ('more = "more"', 'more = "moe"', "did you mean 'more'?"),
        ("size = 4", "size = 5", "encodes to"),
        ("07 05 01 00 64", "07 05 02 00 64", "sequence"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert FILE.count(old) == 1
    text = FILE.replace(old, new).replace("64 65 66 3c", "64 65 66 3d" if new.startswith("07 05 02") else "64 65 66 3c")
    with pytest.raises(ConfigError, match=words.replace("?", r"\?")):
        load(write(tmp_path, text))
