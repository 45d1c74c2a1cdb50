"""What a device file's protocol asks and when, and what it makes of answers that are late, wrong or missing."""

import asyncio
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.collect.session import Session
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.model.errors import Reason
from devicehub.model.reading import Capability, Cause, Level, Measurement, Quality, Sample
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import SMALL, compiled, write

ANSWER = bytes.fromhex("03013236")
ASK = bytes.fromhex("020103")


def talk(folder: Path, *changes: tuple[str, str]) -> Conversation:
    return Conversation(compiled(folder, *changes), {})


def test_a_question_is_asked_once_a_period_and_answered(tmp_path: Path) -> None:
    probe = talk(tmp_path)
    first = probe.start(0.0)
    assert [packet.data for packet in first.write] == [ASK]
    assert first.wake_at == 0.5
    answered = probe.on_packet(0.1, Packet(ANSWER))
    assert answered.samples == (Measurement("level", 50),)
    assert (answered.write, answered.wake_at) == ((), 1.0)
    assert [packet.data for packet in probe.on_timer(1.0).write] == [ASK]


def test_a_late_answer_is_a_timeout_and_the_question_is_repeated_as_often_as_it_says(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("period_s = 1", "period_s = 60\nretries = 1"))
    probe.start(0.0)
    again = probe.on_timer(0.5)
    assert [fault.reason for fault in again.faults] == [Reason.TIMEOUT]
    assert [packet.data for packet in again.write] == [ASK]
    assert probe.on_timer(1.0).write == ()


def test_who_does_not_answer_detects_nothing_and_does_again_when_he_answers(tmp_path: Path) -> None:
    probe = talk(tmp_path, ('source = "test"', 'source = "test"\ncapabilities = ["level"]'))
    step = probe.start(0.0)
    lost: list[Sample] = []
    for _ in range(6):
        assert step.wake_at is not None
        step = probe.on_timer(step.wake_at)
        lost += step.samples
    assert lost == [Capability("level", Level.NONE, Cause.NOT_CONNECTED)]
    assert probe.on_packet(9.0, Packet(ANSWER)).samples[0] == Capability("level", Level.FULL)


def test_a_damaged_answer_is_a_fault_and_a_good_one_behind_it_is_found(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("adjust = 1", "adjust = 1\nmost = 8"))
    probe.start(0.0)
    step = probe.on_packet(0.1, Packet(b"\x03\x01\x33\x36" + ANSWER))
    assert Reason.CHECKSUM in [fault.reason for fault in step.faults]
    assert step.samples == (Measurement("level", 50),)


def test_after_damage_an_idle_line_is_waited_for_where_the_file_says_so(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("[[check]]", '[errors]\nresync = "idle"\nidle_s = 0.2\n[[check]]'))
    probe.start(0.0)
    assert probe.on_packet(0.1, Packet(b"\x03\x01\x33\x36" + ANSWER)).samples == ()
    assert probe.on_packet(0.2, Packet(ANSWER)).samples == ()
    assert probe.on_packet(0.45, Packet(ANSWER)).samples == (Measurement("level", 50),)


def test_an_idle_line_is_over_when_it_wakes_for_it_whatever_the_clock_says(tmp_path: Path) -> None:
    """(0.7 + 0.1) - 0.7 is less than 0.1: waking again at the same time would never end."""
    idle = ("[[check]]", '[errors]\nresync = "idle"\n[[check]]')
    probe = talk(tmp_path, idle, ("period_s = 1", "period_s = 0.1"))
    probe.start(0.0)
    wake = probe.on_packet(0.7, Packet(b"\x03\x01\x33\x36")).wake_at
    assert wake is not None
    assert wake - 0.7 < 0.1
    again = probe.on_timer(wake).wake_at
    assert again is None or again > wake


def test_the_start_up_list_comes_first_and_the_shut_down_list_when_it_is_stopped(tmp_path: Path) -> None:
    request = '[[request]]\nname = "{}"\nsend = "{}"\n'
    lists = '[conversation]\nstart = ["on"]\nstop = ["off"]\n'
    probe = talk(
        tmp_path, ("[[vector]]", request.format("on", "08") + request.format("off", "09") + lists + "[[vector]]")
    )
    assert [packet.data[1] for packet in probe.start(0.0).write] == [8, 1]
    assert [packet.data[1] for packet in probe.stop(1.0).write] == [9]


def test_what_an_untested_file_yields_says_so(tmp_path: Path) -> None:
    text = SMALL[: SMALL.index("[[vector]]")].replace("format = 1", 'format = 1\nuntested = true\ncapabilities = ["x"]')
    probe = Conversation(load(write(tmp_path, text)), {})
    probe.start(0.0)
    capability, level = probe.on_packet(0.1, Packet(ANSWER)).samples
    assert capability == Capability("x", Level.DEGRADED, Cause.UNTESTED)
    assert isinstance(level, Measurement)
    assert (level.quality, level.cause) == (Quality.UNCERTAIN, Cause.UNTESTED)


def test_too_many_damaged_frames_in_a_row_open_the_link_anew(tmp_path: Path) -> None:
    probe = talk(
        tmp_path, ("[[check]]", "[errors]\nreopen_after = 2\n[[check]]"), ("adjust = 1", "adjust = 1\nmost = 8")
    )
    probe.start(0.0)
    assert probe.on_packet(0.1, Packet(ANSWER)).lost == ""
    assert probe.on_packet(0.2, Packet(b"\xff" * 3)).lost == ""
    assert probe.on_packet(0.3, Packet(b"\xff" * 64)).lost == "2 damaged frames in a row"


async def test_the_shut_down_list_is_sent_when_the_hub_lets_go(tmp_path: Path) -> None:
    lists = '[[request]]\nname = "off"\nsend = "09"\n[conversation]\nstop = ["off"]\n'
    probe = talk(tmp_path, ("[[vector]]", lists + "[[vector]]"))
    written: list[Packet] = []
    session = Session("dev", probe, lambda _: None, lambda _: None, clock := Clock(seed=1))
    task = asyncio.create_task(session.run(MemoryTransport(written.append), lambda: None))
    await clock.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [packet.data[1] for packet in written] == [1, 9]


ANSWERED = """\
format = 1
title = "Probe"
source = "test"
[link]
kind = "serial"
[frame]
kind = "reply"
[[channel]]
name = "level"
title = "Level"
[[message]]
name = "level"
fields = [{ name = "level", type = "u16", channel = "level" }]
[[request]]
name = "ask"
send = "3f"
replies = ["level"]
period_s = 0.3
timeout_s = 0.5
size = 2
[errors]
idle_s = 0.2
[[vector]]
message = "level"
hex = "32 00"
source = "worked out by hand"
"""


def test_an_answer_lost_to_garbage_is_asked_for_again_an_idle_time_behind_its_timeout(tmp_path: Path) -> None:
    probe = Conversation(load(write(tmp_path, ANSWERED)), {})
    probe.start(0.0)
    garbage = probe.on_packet(0.1, Packet(b"\xff" * 5))
    assert ([fault.reason for fault in garbage.faults], garbage.wake_at) == ([Reason.LENGTH], 0.5)
    late = probe.on_timer(0.5)
    assert ([fault.reason for fault in late.faults], late.write) == ([Reason.TIMEOUT], ())
    assert late.wake_at == 0.7
    assert [packet.data for packet in probe.on_timer(0.7).write] == [b"?"]
    assert probe.on_packet(0.8, Packet(b"\x32\x00")).samples == (Measurement("level", 50),)


FALSE = b"\x20"
"""A length that promises more than two answers."""


def test_half_a_frame_is_given_up_after_the_silence_that_the_file_says_and_what_it_swallowed_counts(
    tmp_path: Path,
) -> None:
    probe = talk(tmp_path, ("adjust = 1", "adjust = 1\nrest_within_s = 0.3"), ("timeout_s = 0.5", "timeout_s = 3"))
    probe.start(0.0)
    step = probe.on_packet(0.1, Packet(FALSE + ANSWER))
    assert (step.samples, step.faults, step.wake_at) == ((), (), 0.4)
    assert probe.on_timer(0.3).wake_at == 0.4
    step = probe.on_timer(0.4)
    assert step.samples == (Measurement("level", 50),)
    assert [fault.reason for fault in step.faults] == [Reason.TRUNCATED]
    assert step.wake_at == 1.0, "the answer was there: what is asked next is in its turn"


def test_without_a_word_of_the_file_half_a_second_of_silence_ends_a_frame(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("timeout_s = 0.5", "timeout_s = 3"))
    probe.start(0.0)
    assert probe.on_packet(0.1, Packet(FALSE)).wake_at == 0.6
    assert [fault.reason for fault in probe.on_timer(0.6).faults] == [Reason.TRUNCATED]
    assert probe.on_packet(0.7, Packet(ANSWER)).samples == (Measurement("level", 50),)


def test_a_rest_that_comes_late_is_still_the_rest(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("timeout_s = 0.5", "timeout_s = 3"))
    probe.start(0.0)
    probe.on_packet(0.1, Packet(ANSWER[:2]))
    assert probe.on_packet(0.9, Packet(ANSWER[2:])).samples == (Measurement("level", 50),)


def test_an_answer_within_a_false_frame_is_found_before_it_is_called_late(tmp_path: Path) -> None:
    probe = talk(tmp_path, ("adjust = 1", "adjust = 1\nrest_within_s = 2"))
    probe.start(0.0)
    probe.on_packet(0.1, Packet(FALSE + ANSWER))
    step = probe.on_timer(0.5)
    assert step.samples == (Measurement("level", 50),)
    assert [fault.reason for fault in step.faults] == [Reason.TRUNCATED]
    assert step.wake_at == 1.0


def test_who_waits_for_an_idle_line_is_not_deaf_behind_one(tmp_path: Path) -> None:
    idle = ("[[check]]", '[errors]\nresync = "idle"\nidle_s = 0.2\n[[check]]')
    probe = talk(tmp_path, idle, ("timeout_s = 0.5", "timeout_s = 3"))
    probe.start(0.0)
    probe.on_packet(0.1, Packet(FALSE + ANSWER))
    assert probe.on_timer(0.6).samples == (Measurement("level", 50),)
    probe.on_timer(1.0)
    assert probe.on_packet(1.05, Packet(ANSWER)).samples == (Measurement("level", 50),)
