"""What a device is answered: ACK of what it says by itself, NAK of what is damaged, and answers that must be to the question."""

from pathlib import Path
from random import Random

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.devicefile.simulate import Device
from devicehub.model.errors import ConfigError, Reason
from devicehub.model.reading import Measurement
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import write

PROBE = """\
format = 1
title = "Probe"
source = "test"
[link]
kind = "serial"
[frame]
kind = "length"
adjust = 1
least = 4
most = 16
header = [
    { name = "size", type = "u8" },
    { name = "number", type = "u8", echo = "number" },
    { name = "kind", type = "u8" },
]
request_head = "{length:u8}"
[[check]]
kind = "sum"
[[counter]]
name = "number"
start = 7
[[channel]]
name = "level"
title = "Level"
[[message]]
name = "level"
match = { kind = 1 }
fields = [{ name = "level", type = "u8", channel = "level" }]
[[message]]
name = "event"
match = { kind = 2 }
fields = [{ name = "level", type = "u8", channel = "level" }]
acknowledge = "ack"
[[request]]
name = "ask"
send = "{number:u8} {resend:u8} 01"
replies = ["level"]
period_s = 60
timeout_s = 0.5
retries = 1
[[request]]
name = "ack"
send = "06"
[[request]]
name = "nak"
send = "15"
[errors]
answer = "nak"
[[vector]]
message = "level"
hex = "04 07 01 32 3e"
source = "worked out by hand"
[[vector]]
message = "event"
hex = "04 00 02 32 38"
source = "worked out by hand"
[simulate]
values.level = { level = 50 }
values.event = { level = 50 }
"""
ASK, AGAIN = bytes.fromhex("040700010c"), bytes.fromhex("040701010d")
ACK, NAK = bytes.fromhex("020608"), bytes.fromhex("021517")
ANSWER, EVENT = bytes.fromhex("040701323e"), bytes.fromhex("0400023238")


def probe(folder: Path) -> Conversation:
    """It has asked its one question."""
    made = Conversation(load(write(folder, PROBE)), {})
    assert [packet.data for packet in made.start(0.0).write] == [ASK]
    return made


def test_what_the_device_says_by_itself_is_acknowledged_at_once_though_a_question_is_open(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    told = conversation.on_packet(0.1, Packet(EVENT))
    assert [packet.data for packet in told.write] == [ACK]
    assert told.samples == (Measurement("level", 50),)
    assert told.wake_at == 0.5
    assert conversation.on_packet(0.2, Packet(ANSWER)).wake_at == 60.0


def test_each_of_several_is_acknowledged_and_an_answer_is_not(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    assert [packet.data for packet in conversation.on_packet(0.1, Packet(EVENT + EVENT)).write] == [ACK, ACK]
    assert conversation.on_packet(0.2, Packet(ANSWER)).write == ()


def test_an_acknowledgement_is_not_waited_for_nor_sent_again(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    conversation.on_packet(0.1, Packet(ANSWER))
    assert conversation.on_packet(0.2, Packet(EVENT)).wake_at == 60.0
    assert conversation.on_timer(59.0).write == ()


def test_a_frame_whose_check_is_wrong_is_answered_with_what_the_file_says(tmp_path: Path) -> None:
    damaged = probe(tmp_path).on_packet(0.1, Packet(b"\x04\x00\x02\x33\x38" + bytes(16)))
    assert damaged.faults[0].reason is Reason.CHECKSUM
    assert damaged.write[0].data == NAK
    assert damaged.samples == ()
    assert len(damaged.write) == sum(fault.reason is Reason.CHECKSUM for fault in damaged.faults)


def test_nothing_is_answered_to_bytes_that_are_wrong_in_another_way(tmp_path: Path) -> None:
    """A NAK asks for the same again: of what was never a frame there is nothing to send again."""
    conversation = probe(tmp_path)
    too_long = conversation.on_packet(0.1, Packet(b"\xf0"))
    assert ([fault.reason for fault in too_long.faults], too_long.write) == ([Reason.LENGTH], ())
    unknown = conversation.on_packet(0.2, Packet(bytes.fromhex("03000a0d")))
    assert ([fault.reason for fault in unknown.faults], unknown.write) == ([Reason.UNSUPPORTED], ())


def test_an_answer_with_another_number_is_none_and_the_question_is_asked_again_with_its_own(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    wrong = conversation.on_packet(0.1, Packet(bytes.fromhex("040601323d")))
    assert ([fault.reason for fault in wrong.faults], wrong.samples) == ([Reason.SEQUENCE], ())
    late = conversation.on_timer(0.5)
    assert [packet.data for packet in late.write] == [AGAIN]
    assert conversation.on_packet(0.6, Packet(ANSWER)).samples == (Measurement("level", 50),)


def test_the_next_question_has_the_next_number_and_wants_it_back(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    conversation.on_packet(0.1, Packet(ANSWER))
    assert [packet.data[1] for packet in conversation.on_timer(60.0).write] == [8]
    stale = conversation.on_packet(60.1, Packet(ANSWER))
    assert ([fault.reason for fault in stale.faults], stale.samples) == ([Reason.SEQUENCE], ())


def test_what_the_device_says_by_itself_need_not_repeat_a_number(tmp_path: Path) -> None:
    conversation = probe(tmp_path)
    assert conversation.on_packet(0.1, Packet(EVENT)).faults == ()


def test_the_simulated_device_repeats_the_number_that_it_was_asked_with(tmp_path: Path) -> None:
    device = Device(load(write(tmp_path, PROBE)), Random(1))
    assert device.receive(ASK) == [ANSWER]
    assert [answer[1] for answer in device.receive(bytes.fromhex("0463000168"))] == [0x63]


def test_a_wrong_number_is_repeated_once_where_that_is_asked_for_and_the_answer_is_refused(tmp_path: Path) -> None:
    device, conversation = Device(load(write(tmp_path, PROBE)), Random(1)), probe(tmp_path)
    device.do("misnumber")
    ((wrong,), (right,)) = device.receive(ASK), device.receive(ASK)
    assert (wrong[1] != ANSWER[1], right) == (True, ANSWER)
    told = conversation.on_packet(0.1, Packet(wrong))
    assert ([fault.reason for fault in told.faults], told.samples) == ([Reason.SEQUENCE], ())
    assert conversation.on_packet(0.2, Packet(right)).samples == (Measurement("level", 50),)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('acknowledge = "ack"', 'acknowledge = "akc"', "there is no such request"),
        ('answer = "nak"', 'answer = "nka"', "there is no such request"),
        ('echo = "number"', 'echo = "nomber"', "there is no such option or counter"),
        ('channel = "level" }', 'channel = "level", echo = "number" }', "only a field of the header has it"),
        ('channel = "level" }', 'channel = "level", holds = "length" }', "only a field of the header has it"),
    ],
)
def test_an_answer_that_names_nothing_is_a_mistake_of_the_file(tmp_path: Path, old: str, new: str, text: str) -> None:
    assert old in PROBE
    with pytest.raises(ConfigError, match=text):
        load(write(tmp_path, PROBE.replace(old, new)))
