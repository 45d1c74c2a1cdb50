"""When a request goes out: the gap that a device needs, what is tried again, what is not asked, what counts up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.model.errors import Reason
from devicehub.model.reading import Capability, Cause, Level, Measurement, Sample
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Step
from tests.unit.devicefile.files import compiled

ANSWER, GAP = bytes.fromhex("03013236"), 0.3
MORE = """\
[[request]]
name = "other"
send = "05"
replies = ["level"]
period_s = 0.1
timeout_s = 0.5
[[request]]
name = "wink"
send = "06"
{wink}
[conversation]
gap_s = {gap}
{rest}
[[vector]]"""


def talk(folder: Path, *changes: tuple[str, str], wink: str = "", gap: float = GAP, rest: str = "") -> Conversation:
    """`ask` and `other` are asked in turn, as often as the gap lets them."""
    more = ("[[vector]]", MORE.format(wink=wink, gap=gap, rest=rest))
    return Conversation(compiled(folder, more, ("period_s = 1\n", "period_s = 0.1\n"), *changes), {})


def woken(probe: Conversation, step: Step, until: float) -> Iterator[tuple[float, Step]]:
    """Its steps when nothing comes: the one given, and those of its timers."""
    at = 0.0
    while True:
        yield at, step
        if step.wake_at is None or step.wake_at > until:
            return
        at, step = step.wake_at, probe.on_timer(step.wake_at)


def writes(steps: Iterator[tuple[float, Step]]) -> list[tuple[float, int]]:
    """When what was sent, by its second byte."""
    return [(round(at, 6), packet.data[1]) for at, step in steps for packet in step.write]


def test_behind_an_answer_nothing_is_sent_before_the_gap_is_over(tmp_path: Path) -> None:
    probe = talk(tmp_path)
    assert [packet.data[1] for packet in probe.start(0.0).write] == [1]
    for number in range(1, 6):
        answered = probe.on_packet(number - 0.75, Packet(ANSWER))
        assert answered.write == ()
        assert answered.wake_at == pytest.approx(number - 0.75 + GAP)
        assert probe.on_timer(number - 0.75 + GAP - 0.001).write == ()
        assert len(probe.on_timer(number - 0.75 + GAP).write) == 1


def test_behind_a_time_out_nothing_is_sent_before_the_gap_is_over(tmp_path: Path) -> None:
    probe = talk(tmp_path)
    sent = writes(woken(probe, probe.start(0.0), 2.5))
    assert sent == [(0.0, 1), (0.8, 5), (1.6, 1), (2.4, 5)]  # half a second for an answer, and the gap


def test_behind_a_request_that_nobody_answers_nothing_is_sent_before_the_gap_is_over(tmp_path: Path) -> None:
    probe = talk(tmp_path, wink="period_s = 60", rest='start = ["wink"]')
    assert writes(woken(probe, probe.start(0.0), 0.5)) == [(0.0, 6), (0.3, 1)]


def test_a_command_waits_for_the_gap_like_everything_else(tmp_path: Path) -> None:
    command = '[[command]]\nverb = "wink"\ntitle = "Wink"\nrequest = "wink"\n'
    probe = talk(tmp_path, ("[[vector]]", command + "[[vector]]"))
    probe.start(0.0)
    probe.on_packet(0.1, Packet(ANSWER))
    told = probe.on_command(0.2, Call(1, "wink", {}, 5.0))
    assert told.write == ()
    assert told.wake_at == pytest.approx(0.1 + GAP)
    sent = probe.on_timer(0.1 + GAP)
    assert [packet.data[1] for packet in sent.write] == [6]
    assert sent.wake_at == pytest.approx(0.1 + 2 * GAP)


def test_without_a_gap_the_next_goes_out_with_the_answer(tmp_path: Path) -> None:
    probe = talk(tmp_path, gap=0.0)
    probe.start(0.0)
    assert [packet.data[1] for packet in probe.on_packet(0.1, Packet(ANSWER)).write] == [5]


def test_what_is_asked_once_is_tried_again_after_the_time_that_the_file_says_until_it_was_answered(
    tmp_path: Path,
) -> None:
    text = ("[[vector]]", "[conversation]\nagain_s = 4.0\n[[vector]]")
    probe = Conversation(compiled(tmp_path, text, ("period_s = 1\n", "period_s = 0\n")), {})
    assert writes(woken(probe, probe.start(0.0), 8.2)) == [(0.0, 1), (4.0, 1), (8.0, 1)]
    assert probe.on_packet(8.1, Packet(ANSWER)).wake_at is None


@pytest.mark.parametrize("after", [1, 2, 5])
def test_after_as_many_unanswered_requests_as_the_file_says_nothing_is_detected(tmp_path: Path, after: int) -> None:
    able = ('source = "test"\n[link]', 'source = "test"\ncapabilities = ["level"]\n[link]')
    text = ("[[vector]]", f"[conversation]\nsilent_after = {after}\n[[vector]]")
    probe = Conversation(compiled(tmp_path, text, able), {})
    steps = [step for _, step in woken(probe, probe.start(0.0), 8.0)]
    missed, told = 0, list[tuple[int, Sample]]()
    for step in steps:
        missed += sum(fault.reason is Reason.TIMEOUT for fault in step.faults)
        told += [(missed, sample) for sample in step.samples]
    assert missed > after
    assert told == [(after, Capability("level", Level.NONE, Cause.NOT_CONNECTED))]


KNOWN = ('name = "level", type = "u8", unit', 'name = "level", type = "u8", remember = true, unit')


@pytest.mark.parametrize(
    ("word", "asked"), [("unless = { level = 50 }", 0), ("unless = { level = 51 }", 1), ("when = { level = 50 }", 1)]
)
def test_a_request_goes_by_what_the_device_said_before(tmp_path: Path, word: str, asked: int) -> None:
    request = f'[[request]]\nname = "more"\nsend = "07"\nperiod_s = 60\n{word}\n[[vector]]'
    probe = Conversation(compiled(tmp_path, KNOWN, ("[[vector]]", request)), {})
    probe.start(0.0)
    sent = [packet.data[1] for packet in probe.on_packet(0.1, Packet(ANSWER)).write]
    assert sent.count(7) == asked


def test_a_request_has_the_check_of_a_frame_only_where_the_file_says_so(tmp_path: Path) -> None:
    checked, bare = (
        Conversation(compiled(tmp_path, ('kind = "sum"', f'kind = "sum"\nrequest = {word}')), {})
        for word in ("true", "false")
    )
    assert [packet.data.hex() for one in (checked, bare) for packet in one.start(0.0).write] == ["020103", "0101"]
    assert bare.on_packet(0.1, Packet(ANSWER)).samples == (Measurement("level", 50),)


def test_a_counter_counts_from_its_start_to_its_modulus_and_is_sent_with_what_is_added(tmp_path: Path) -> None:
    counter = '[[counter]]\nname = "number"\nstart = 2\nmodulus = 4\nplus = 16\n[[vector]]'
    text = compiled(tmp_path, ("[[vector]]", counter), ('send = "01"', 'send = "01 {number:u8}"'))
    probe = Conversation(text, {})
    step, sent = probe.start(0.0), list[int]()
    for number in range(6):
        sent += [packet.data[2] for packet in step.write]
        probe.on_packet(number + 0.1, Packet(ANSWER))
        step = probe.on_timer(number + 1.0)
    assert sent == [18, 19, 16, 17, 18, 19]
