"""Kromek D3S and D5: what comes compressed is said to be, and turned off by nobody but who may."""

from binascii import crc_hqx

import pytest

from devicehub.model.command import CommandState
from devicehub.model.errors import Reason
from devicehub.model.reading import Capability, Cause, Level
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, DeviceProtocol, Step

BOTH = pytest.mark.parametrize("name", ["radiation.kromek_d3s", "radiation.kromek_d5"])
STATUS = bytes.fromhex("07 c5 00 01 1f 00 00 57 00 1d 01 00")
LOST = [Capability("gamma", Level.NONE, Cause.FAULT), Capability("neutron", Level.NONE, Cause.FAULT)]
FULL = [Capability("gamma", Level.FULL), Capability("neutron", Level.FULL)]


def framed(name: str, mode: int, content: bytes) -> bytes:
    message = (len(content) + 5).to_bytes(2, "little") + bytes([mode]) + content
    message += crc_hqx(message, 0xFFFF).to_bytes(2, "little")
    if name.endswith("d3s"):
        return message
    return b"\xc0" + message.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def capabilities(step: Step) -> list[Capability]:
    return [one for one in step.samples if isinstance(one, Capability)]


def asked(protocol: DeviceProtocol, wanted: str) -> float:
    """When the device is asked for `wanted`, each other request unanswered."""
    step, now = protocol.start(0.0), 0.0
    while not any(bytes.fromhex(wanted) in packet.data for packet in step.write):
        assert step.wake_at is not None
        step = protocol.on_timer(now := step.wake_at)
    return now


@BOTH
def test_a_compressed_answer_is_one_fault_that_says_what_to_do_and_nothing_is_detected(name: str) -> None:
    protocol = load_driver(name).open({})
    now = asked(protocol, "07 c5")
    step = protocol.on_packet(now, Packet(framed(name, 1, bytes.fromhex("07 c5 80 40 4f 82 00 45 70"))))
    (fault,) = step.faults
    assert fault.reason is Reason.REJECTED
    assert "turn compression off in the maker's software, or by the command stop-compression" in fault.detail
    assert capabilities(step)[-2:] == LOST
    assert step.write  # it was an answer: what is to be asked next is
    assert capabilities(protocol.on_packet(now + 1, Packet(framed(name, 0, STATUS))))[-2:] == FULL


@BOTH
def test_compression_is_turned_off_by_a_command_that_needs_control_and_by_nothing_else(name: str) -> None:
    driver = load_driver(name)
    (command,) = (one for one in driver.commands if one.verb == "stop-compression")
    assert command.control
    protocol = driver.open({})
    assert isinstance(protocol, Commanded)
    wanted = framed(name, 0, bytes.fromhex("07 4f 00 09 08 00 00 00"))
    sent, step, now = list[bytes](), protocol.start(0.0), 0.0
    while now < 30:
        sent += [packet.data for packet in step.write]
        compressed = Packet(framed(name, 1, bytes.fromhex("07 c2 80 40")))
        step = protocol.on_packet(now, compressed) if step.write else protocol.on_timer(now := step.wake_at or now + 1)
    assert sent
    assert not any(b"\x07\x4f" in one for one in sent)
    step = protocol.on_command(now, Call(1, "stop-compression", {}, expires=now + 10))
    while wanted not in [packet.data for packet in step.write]:
        assert step.wake_at is not None
        step = protocol.on_timer(now := step.wake_at)
    (ended,) = protocol.on_packet(now, Packet(framed(name, 0, bytes.fromhex("07 fe 4f")))).ended
    assert ended.state is CommandState.DONE


@BOTH
def test_a_detector_that_warms_up_detects_nothing_and_is_not_refused(name: str) -> None:
    protocol = load_driver(name).open({})
    now = asked(protocol, "07 c5")
    step = protocol.on_packet(now, Packet(framed(name, 0, b"\x07\xc0\x0b" + b"warming up".ljust(50, b"\0"))))
    assert step.faults == ()
    assert capabilities(step)[-2:] == [
        Capability("gamma", Level.NONE, Cause.WARMING_UP),
        Capability("neutron", Level.NONE, Cause.WARMING_UP),
    ]
