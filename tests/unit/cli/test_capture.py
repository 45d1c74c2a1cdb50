"""Hexadecimal text, transcripts and raw bytes as packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.cli.capture import (
    CaptureError,
    hex_packets,
    is_transcript,
    natural_port,
    play,
    transcript_options,
    transcript_packets,
)
from devicehub.model.errors import ConfigError
from devicehub.registry import driver_names, load_driver
from devicehub.wire.packet import Packet


def data(text: str) -> list[bytes]:
    return [timed.packet.data for timed in hex_packets(text, "")]


def test_every_common_way_to_write_bytes_is_read() -> None:
    for text in (
        "24 31 0d",
        "24310d",
        "0x24 0x31 0x0D",
        "0x24,0x31,0x0d",
        "24:31:0d",
        "24-31-0D",
        "24 31 0d # comment",
    ):
        assert data(text) == [b"$1\r"], text


def test_each_line_is_a_packet_and_empty_lines_are_none() -> None:
    assert data("24\n\n# only a comment\n31 0d\n") == [b"$", b"1\r"]


def test_repeats_are_expanded() -> None:
    assert data("5a c409*3 01*2") == [b"\x5a\xc4\x09\xc4\x09\xc4\x09\x01\x01"]


def test_a_port_may_stand_before_the_bytes() -> None:
    assert [timed.packet for timed in hex_packets("@in:82 01\n02", "in:81")] == [
        Packet(b"\x01", "in:82"),
        Packet(b"\x02", "in:81"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("24 3", "line 1: '3' is not pairs"),
        ("24\nxy", "line 2: 'xy' is not pairs"),
        ("24*", "a number must follow"),
        ("24*x", "a number must follow"),
        ("00*99999999999999999999", "more than"),
        ("00*60000000\n00*60000000", "line 2: more than"),
        ("²²", "is not pairs"),
    ],
)
def test_what_is_not_hexadecimal_is_named_with_its_line(text: str, words: str) -> None:
    with pytest.raises(CaptureError, match=words.replace("*", r"\*")):
        hex_packets(text, "")


@given(st.binary(min_size=1, max_size=100), st.sampled_from(["", " ", ":", ",", "-"]))
def test_any_bytes_come_back(given_bytes: bytes, separator: str) -> None:
    text = separator.join(f"{byte:02x}" for byte in given_bytes)
    assert data(text) == [given_bytes]


@given(st.text(max_size=60))
def test_any_text_gives_packets_or_a_capture_error(text: str) -> None:
    try:
        packets = hex_packets(text, "")
    except CaptureError:
        return
    assert all(timed.packet.data for timed in packets)


def test_a_transcript_is_told_from_hexadecimal_by_its_first_line() -> None:
    assert is_transcript("# comment\n0.00 > 05\n")
    assert is_transcript("12.5 < @in:81 05")
    assert not is_transcript("05 06 07\n")
    assert not is_transcript("")


def test_a_transcript_gives_what_came_from_the_device_and_options() -> None:
    text = "#: rate = 2\n0.00 > 05\n0.25 < 06\n0.25 = signal 1 good\n"
    (timed,) = transcript_packets(text, "x")
    assert (timed.at, timed.packet) == (0.25, Packet(b"\x06"))
    assert transcript_options(text, "x") == {"rate": 2}
    with pytest.raises(ConfigError, match="x: options"):
        transcript_options("#: rate 2\n", "x")


def test_the_natural_port_is_where_the_link_delivers() -> None:
    expected = {"radiation.atom_fast": "70bc767e-7a1a-4304-81ed-14b9af54f7bd", "thermal.gy_mcu90640": ""}
    for name, port in expected.items():
        assert natural_port(load_driver(name), {}) == port
    assert natural_port(load_driver("thermal.flir_rjpeg"), {}, "a.jpg") == "a.jpg"
    assert natural_port(load_driver("endoscope.uvc_endoscope"), {}).startswith("frame:MJPG:")
    assert natural_port(load_driver("thermal.seek_compact"), {}).startswith("in:8")


def test_every_driver_has_a_natural_port_or_a_serial_line() -> None:
    for name in driver_names():
        assert isinstance(natural_port(load_driver(name), {}), str)


def test_timers_fire_between_packets_at_their_times() -> None:
    driver = load_driver("thermal.gy_mcu90640")
    times = [at for at, _ in play(driver.open({}), transcript_packets("0.50 < 5a\n9.00 < 5a\n", "x"))]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert times[-1] == 9.0
