"""Zebra SSI: published packets, who answers what, resends, segments, check digits."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, Identity, Level, Sample, Scan
from devicehub.registry import load_driver, load_simulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol
from drivers.scanner._ssi_framing import SsiFramer, SsiPacket, opened
from drivers.scanner._ssi_requests import encode
from simulators.scanner.zebra_ssi import ZebraScanner
from tests.drivers.zebra_ssi_bench import Bench

EAN = bytes.fromhex("12f300000b35393031323334313233343537fc52")
ACK = bytes.fromhex("04d00400ff28")
HIS_ACK = bytes.fromhex("04d00080feac")
NAK_RESEND = bytes.fromhex("05d1040001ff25")
FIRST = bytes.fromhex("ff7302 0000f30000 01f7 1c01 01f4") + b"Z" * 241 + bytes.fromhex("a6d5")
SECOND = bytes.fromhex("ff73000001") + b"Z" * 250 + bytes.fromhex("a6a9")
THIRD = bytes.fromhex("0e73000002") + b"Z" * 9 + bytes.fromhex("fc53")


def again(packet: bytes) -> bytes:
    """The packet with the resend bit."""
    body = packet[:3] + bytes([packet[3] | 1]) + packet[4:-2]
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


def started(**options: str) -> DeviceProtocol:
    protocol = load_driver("scanner.zebra_ssi").open(options)
    protocol.start(0.0)
    return protocol


@pytest.mark.parametrize(
    ("opcode", "status", "data", "packet"),
    [
        (0xD0, 0, b"", "04d00400ff28"),
        (0xE4, 0, b"", "04e40400ff14"),
        (0xE9, 8, b"", "04e90408ff07"),
        (0xD1, 0, b"\x01", "05d1040001ff25"),
    ],
)
def test_host_packets_are_the_published_ones(opcode: int, status: int, data: bytes, packet: str) -> None:
    assert encode(opcode, data, status).hex() == packet


def test_the_decoders_published_acknowledgement_is_read() -> None:
    assert [opened(one) for one in SsiFramer().feed(HIS_ACK) if isinstance(one, bytes)] == [SsiPacket(0xD0, 0x80, b"")]


def test_the_host_wakes_the_decoder_before_it_asks_who_it_is() -> None:
    protocol = load_driver("scanner.zebra_ssi").open({})
    step = protocol.start(0.0)
    assert [packet.data for packet in step.write] == [b"\x00"]
    assert step.wake_at == 0.1
    assert [packet.data for packet in protocol.on_timer(0.1).write] == [encode(0xA3)]


def test_nothing_permanent_no_parameter_and_no_trigger_is_sent_without_a_command() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.simulator.do("demo")
    bench.run(200)
    opcodes, rest = set(), bytes(bench.sent)
    while rest:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        opcodes.add(rest[1])
        assert not rest[3] & 0x08
        rest = rest[rest[0] + 2 :]
    assert opcodes <= {0xA3, 0xE9, 0xD0, 0x74}
    assert bench.faults == []


def test_a_scan_is_published_and_acknowledged() -> None:
    step = started().on_packet(1.0, Packet(EAN))
    assert Scan("barcode", "ean-13", b"5901234123457") in step.samples
    assert [packet.data for packet in step.write] == [ACK]


def test_a_scan_sent_again_is_acknowledged_and_not_published_twice() -> None:
    protocol = started()
    protocol.on_packet(1.0, Packet(EAN))
    step = protocol.on_packet(3.0, Packet(again(EAN)))
    assert (step.samples, [packet.data for packet in step.write]) == ((), [ACK])


def test_a_scan_that_was_refused_is_published_when_it_comes_again() -> None:
    protocol = started()
    protocol.on_packet(1.0, Packet(EAN))
    damaged = bytearray(EAN)
    damaged[7] ^= 4
    step = protocol.on_packet(2.0, Packet(bytes(damaged)))
    assert [packet.data for packet in step.write] == [NAK_RESEND]
    assert [fault.reason for fault in step.faults] == [Reason.CHECKSUM]
    assert len(protocol.on_packet(2.1, Packet(again(EAN))).samples) == 1


def test_a_resend_of_something_never_heard_is_published() -> None:
    assert len([s for s in started().on_packet(1.0, Packet(again(EAN))).samples if isinstance(s, Scan)]) == 1


def test_three_segments_make_one_scan() -> None:
    protocol = started()
    answers = []
    samples: list[Sample] = []
    for at, segment in enumerate((FIRST, SECOND, SECOND, THIRD, THIRD), 1):
        step = protocol.on_packet(float(at), Packet(segment))
        answers += [packet.data[1] for packet in step.write]
        samples += step.samples
    assert answers == [0x74, 0x74, 0x74, 0xD0, 0xD0]
    assert [sample for sample in samples if isinstance(sample, Scan)] == [Scan("barcode", "qr-code", b"Z" * 500)]


def test_a_missing_segment_is_refused_and_nothing_is_published() -> None:
    protocol = started()
    protocol.on_packet(1.0, Packet(FIRST))
    step = protocol.on_packet(2.0, Packet(THIRD))
    assert not step.samples
    assert [fault.reason for fault in step.faults] == [Reason.SEQUENCE]
    assert [packet.data[1] for packet in step.write] == [0xD1]


def test_an_endless_message_is_cut_off() -> None:
    protocol = started()
    body = bytes([255, 0xF3, 0, 2, 0x11]) + b"x" * 250
    part = body + (-sum(body) & 0xFFFF).to_bytes(2, "big")
    reasons = [fault.reason for _ in range(600) for fault in protocol.on_packet(1.0, Packet(part)).faults]
    assert reasons == [Reason.OVERFLOW] * 2


@pytest.mark.parametrize("verb", ["corrupt", "deaf"])
def test_a_damaged_packet_or_a_lost_answer_costs_no_scan_and_gives_no_second_one(verb: str) -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.run(1)
    bench.simulator.do(verb)
    bench.simulator.do("scan", code="PK0001")
    bench.run(4)
    assert bench.scans == [b"PK0001"]
    bench.simulator.do("long", length=1200)
    bench.simulator.do("scan", code="PK0001")
    bench.run(4)
    assert bench.scans == [b"PK0001", b"Z" * 1200, b"PK0001"]


def test_the_revision_becomes_the_identity_once() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.run(200)
    identities = [sample for sample in bench.samples if isinstance(sample, Identity)]
    assert identities == [Identity((("firmware", "PAACWS00-001-R00"), ("board", "00"), ("engine", "0001")))]


def test_a_scanner_that_was_carried_away_is_noticed_within_seventy_seconds() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.run(5)
    assert bench.samples[0] == Capability("barcode", Level.FULL)
    bench.simulator.do("dead")
    bench.run(70)
    assert bench.samples[-1] == Capability("barcode", Level.NONE, Cause.NOT_CONNECTED)
    assert bench.faults == [Reason.TIMEOUT] * 3


def test_a_disabled_scanner_is_permitted_to_scan_at_the_start() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.simulator.do("disable")
    bench.run(1)
    bench.simulator.do("scan", code="X1")
    bench.run(1)
    assert bench.scans == [b"X1"]


@settings(deadline=None)
@given(
    codes=st.lists(st.binary(min_size=1, max_size=250), min_size=1, max_size=5),
    noise=st.binary(max_size=20),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_packets_come_out_whole_however_the_line_cuts_them(codes: list[bytes], noise: bytes, cuts: list[int]) -> None:
    packets = [encode(0xF3, code) for code in codes]
    packets = [bytes([*p[:2], 0, *p[3:-2]]) for p in packets]
    packets = [p + (-sum(p) & 0xFFFF).to_bytes(2, "big") for p in packets]
    stream = b"".join(packets)
    framer, items, at, turn = SsiFramer(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        items += list(framer.feed(stream[at : at + size]))
        at, turn = at + size, turn + 1
    assert [opened(item).data for item in items if isinstance(item, bytes)] == codes
    assert not framer.waits
    rest = [*SsiFramer().feed(noise), *framer.feed(noise), *framer.give_up()]
    assert all(isinstance(item, bytes | ProtocolError) for item in rest)
    assert not framer.waits


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("00", id="a byte"),
        pytest.param("03 d0 00 00 fe", id="no packet is so short"),
        pytest.param("05 f3 00 00 0b 00 00", id="the check of a whole one is wrong"),
    ],
)
def test_garbage_that_is_seen_costs_none_of_the_packets_in_the_same_chunk(garbage: str) -> None:
    frames = list(SsiFramer().feed(bytes.fromhex(garbage) + EAN + HIS_ACK + EAN))
    assert [frame for frame in frames if isinstance(frame, bytes)] == [EAN, HIS_ACK, EAN]
    assert len(frames) == 4, "one fault for a run"


@pytest.mark.parametrize("promise", ["ff f3 00 00", "40 d0 00 00", "ff f3 00 00 40 f3 00 00"])
def test_what_a_false_length_swallowed_is_heard_when_the_line_is_silent(promise: str) -> None:
    framer = SsiFramer()
    assert list(framer.feed(bytes.fromhex(promise) + EAN + HIS_ACK + EAN)) == []
    fault, *frames = framer.give_up()
    assert isinstance(fault, ProtocolError)
    assert fault.reason is Reason.TRUNCATED
    assert frames == [EAN, HIS_ACK, EAN]


def test_the_simulator_is_the_registered_one() -> None:
    assert load_simulator("scanner.zebra_ssi") is ZebraScanner
