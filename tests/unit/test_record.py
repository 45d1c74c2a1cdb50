"""Transcripts: written and read back without loss, errors that name their line, and replays that end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.errors import ConfigError, ProtocolError, Reason
from devicehub.model.reading import (
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Level,
    Measurement,
    Outcome,
    Peak,
    Quality,
    Result,
    Sample,
    Scan,
    Trigger,
)
from devicehub.model.units import Unit
from devicehub.record import Line, format_packet, format_sample, parse, parse_packet, run_transcript
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import FramedProtocol, Poll, Step

runs = st.tuples(st.binary(min_size=1, max_size=3), st.integers(1, 60)).map(lambda run: run[0] * run[1])
packets = st.builds(Packet, st.lists(runs, max_size=6).map(b"".join), st.sampled_from(["", "in:81", "a-b.jpg", "2a37"]))


@given(packets)
def test_a_packet_is_read_back_as_it_was_written(packet: Packet) -> None:
    assert parse_packet(format_packet(packet)) == packet


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from("<>"), packets), max_size=10))
def test_a_transcript_is_read_back_as_it_was_written(script: list[tuple[int, str, Packet]]) -> None:
    lines = [Line(at / 100, sign, format_packet(packet), packet) for at, sign, packet in script]
    assert parse("\n".join(map(str, lines))) == lines


@given(st.text(max_size=30))
def test_a_port_of_any_name_stays_one_word_on_one_line(name: str) -> None:
    text = format_packet(Packet(b"\x01", f"x{name}"))
    assert parse_packet(text).data == b"\x01"
    assert len(text.split()) == 2


def test_repeats_comments_and_empty_lines() -> None:
    text = "# a comment\n\n  # another\n0.5 < c409*3 0a\n1 = value 3 good\n2.5 !\n"
    lines = parse(text)
    assert [(line.at, line.sign, line.text) for line in lines] == [
        (0.5, "<", "c4 09 c4 09 c4 09 0a"),
        (1.0, "=", "value 3 good"),
        (2.5, "!", ""),
    ]
    assert lines[0].packet == Packet(b"\xc4\x09" * 3 + b"\n")


@pytest.mark.parametrize(
    "line",
    [
        "0.1",
        "0.1 ? 00",
        "0.1 <= 00",
        "0.1 >< 00",
        "soon < 00",
        "nan < 00",
        "inf < 00",
        "-1 < 00",
        "0.1 < 0",
        "0.1 < zz",
        "0.1 < 00*x",
        "0.1 < 00*",
        "0.1 < 00*0",
        "0.1 < 00*-3",
        "0.1 < 00*99999999999999",
    ],
)
def test_a_line_that_makes_no_sense_is_named_with_its_file_and_number(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^sweep\.txt:3: "):
        parse(f"# fine\n0.0 < 01\n{line}\n", "sweep.txt")


SAMPLES: list[tuple[Sample, str]] = [
    (Measurement("value", 1234.56789), "value 1234.57 good"),
    (Measurement("mode", 2.0, label="idle"), "mode idle good"),
    (Measurement("value", float("nan"), Quality.BAD, Cause.NOT_A_NUMBER), "value nan bad:not-a-number"),
    (Scan("barcode", "qr", b"a\n\xff"), "barcode qr b'a\\n\\xff' good"),
    (Capability("voc", Level.NONE, Cause.WARMING_UP), "capability voc none warming-up"),
    (Identity((("serial", "1 2"), ("firmware", "x"))), "identity serial='1 2' firmware='x'"),
    (Trigger("button"), "trigger button"),
    (DeviceAlarm("voc", active=True, text="too\nmuch"), "alarm voc on too\\x0amuch"),
    (DeviceAlarm("voc", active=False), "alarm voc off"),
    (Result(Outcome.ALARM, "7", 8.0, (Peak("TNT", 1.4512, Unit.REDUCED_MOBILITY, 0.7),)), "result alarm 7 TNT@1.451"),
    (Result(Outcome.CLEAR), "result clear"),
]


@pytest.mark.parametrize(("sample", "text"), SAMPLES, ids=[text for _, text in SAMPLES])
def test_a_sample_is_one_line_that_a_person_reads(sample: Sample, text: str) -> None:
    assert format_sample(sample) == text
    assert parse(f"1 = {text}")[0].text == text


def polled() -> FramedProtocol:
    def decode(frame: bytes) -> tuple[Measurement, ...]:
        if not frame.isdigit():
            raise ProtocolError(Reason.UNEXPECTED)
        return (Measurement("value", float(frame)),)

    return FramedProtocol(DelimiterFramer(b"\n"), decode, (Poll(b"?", 1.0, 0.5),))


TALK = """\
0.00 > 3f
0.10 < 37 0a
0.10 = value 7 good
1.00 > 3f
1.20 < 78 0a
1.20 ! unexpected
1.50 ! timeout
2.00 > 3f
"""


def test_a_replay_makes_the_whole_transcript_from_what_the_device_said() -> None:
    assert list(map(str, run_transcript(polled(), parse(TALK)))) == TALK.splitlines()
    heard = [line for line in parse(TALK) if line.sign == "<"]
    assert list(map(str, run_transcript(polled(), [*heard, parse("2.0 ! anything")[0]]))) == TALK.splitlines()


def test_a_timer_at_the_time_of_a_packet_comes_after_it() -> None:
    text = "0.00 > 3f\n0.50 < 37 0a\n0.50 = value 7 good\n"
    assert list(map(str, run_transcript(polled(), parse(text)))) == text.splitlines()


class Stuck:
    """A protocol with a bug: it wants to be woken now, for ever."""

    def start(self, now: float) -> Step:
        return Step(wake_at=now)

    def on_packet(self, now: float, packet: Packet) -> Step:
        return Step(wake_at=now)

    def on_timer(self, now: float) -> Step:
        return Step(wake_at=now)


def test_a_protocol_that_stands_still_is_an_error_and_no_endless_replay() -> None:
    with pytest.raises(RuntimeError, match="stands still"):
        run_transcript(Stuck(), parse("1.0 < 00"))
