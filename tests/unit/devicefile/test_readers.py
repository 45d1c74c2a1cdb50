"""Document readers: checks whose rule is not certain, what is read in several lines, being armed again."""

from pathlib import Path

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.model.errors import Reason
from devicehub.model.reading import Cause, Measurement, Quality, Scan
from devicehub.registry import device_files
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import compiled

BOTTOM = b"L898902C36UTO7408122F1204159ZE184226B<<<<<10"


def _opened(name: str) -> Conversation:
    return Conversation(load(device_files()[name]), {})


def _block(*lines: bytes) -> bytes:
    body = b"OU\x02\x00" + b"".join(line + b"\r" for line in lines) + b"\x03"
    counted = (len(body) + 1).to_bytes(2, "little") + body
    check = 0
    for byte in counted:
        check ^= byte
    return b"\x01" + counted + bytes([check])


def test_a_check_whose_rule_is_not_certain_makes_values_uncertain_and_refuses_nothing(tmp_path: Path) -> None:
    probe = Conversation(compiled(tmp_path, ('kind = "sum"', 'kind = "sum"\nwrong = "doubt"')), {})
    probe.start(0.0)
    right = probe.on_packet(0.1, Packet(bytes.fromhex("03013236")))
    assert right.samples == (Measurement("level", 50),)
    probe.on_timer(1.0)
    wrong = probe.on_packet(1.1, Packet(bytes.fromhex("03013237")))
    assert wrong.samples == (Measurement("level", 50, quality=Quality.UNCERTAIN, cause=Cause.CHECKSUM),)
    assert wrong.faults == ()


def test_otherwise_a_wrong_check_refuses_the_frame(tmp_path: Path) -> None:
    probe = Conversation(compiled(tmp_path), {})
    probe.start(0.0)
    assert Reason.CHECKSUM in {fault.reason for fault in probe.on_packet(0.1, Packet(bytes.fromhex("03013237"))).faults}


def test_the_only_line_of_a_document_is_its_bottom_line() -> None:
    scans = [one for one in _opened("scanner.rte_mrz").on_packet(0.0, Packet(_block(b"", b"", BOTTOM))).samples
             if isinstance(one, Scan)]  # fmt: skip
    assert [scan.data for scan in scans] == [BOTTOM]


def test_a_document_reader_that_checks_otherwise_than_we_think_is_read_with_doubt() -> None:
    block = _block(b"", b"", BOTTOM)
    samples = _opened("scanner.rte_mrz").on_packet(0.0, Packet(block[:-1] + bytes([block[-1] ^ 1]))).samples
    assert [(one.data, one.quality) for one in samples if isinstance(one, Scan)] == [(BOTTOM, Quality.UNCERTAIN)]


def test_a_reader_that_is_armed_for_one_document_is_armed_again_once_it_was_read() -> None:
    reader, arm = _opened("scanner.elyctis_idbox"), bytes.fromhex("43000101")
    assert [packet.data for packet in reader.start(0.0).write] == [arm]
    assert reader.on_packet(0.1, Packet(arm)).write == ()
    read = reader.on_packet(2.0, Packet(bytes([0x49, 0, len(BOTTOM)]) + BOTTOM))
    assert [one.data for one in read.samples if isinstance(one, Scan)] == [BOTTOM]
    assert [packet.data for packet in read.write] == [arm]
