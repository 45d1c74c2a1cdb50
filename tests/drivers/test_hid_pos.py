"""What is particular to the HID-POS barcode reader, a device file: reports that go on, and those that do not fit."""

from random import Random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.devicefile.load import load
from devicehub.driver import Options
from devicehub.model.errors import Reason
from devicehub.model.reading import Sample, Scan
from devicehub.registry import device_files, load_driver, load_simulator
from devicehub.simulator import UsbSimulator
from devicehub.transport.simulated import UsbPeer
from devicehub.wire.packet import Packet, usb_read
from devicehub.wire.protocol import DeviceProtocol

NAME = "scanner.hid_pos"
READ = usb_read(0x81, 64)
REPORTS_MOST = 128


def opened(options: Options | None = None) -> DeviceProtocol:
    return load_driver(NAME).open(options or {})


def report(aim: str, data: bytes, *, more: bool = False) -> Packet:
    body = bytes([2, len(data)]) + b"]" + aim.encode() + data.ljust(56, b"\0") + bytes([0, 0, int(more)])
    return Packet(body, "in:81")


def reports(aim: str, data: bytes) -> list[Packet]:
    pieces = [data[at : at + 56] for at in range(0, len(data), 56)]
    return [report(aim, piece, more=number < len(pieces)) for number, piece in enumerate(pieces, 1)]


def fed(packets: list[Packet]) -> tuple[list[Scan], list[Reason]]:
    protocol = opened()
    protocol.start(0.0)
    steps = [protocol.on_packet(0.0, packet) for packet in packets]
    samples: list[Sample] = [sample for step in steps for sample in step.samples]
    scans = [sample for sample in samples if isinstance(sample, Scan)]
    return scans, [fault.reason for step in steps for fault in step.faults]


def test_exactly_one_report_is_asked_for_at_any_time() -> None:
    protocol = opened()
    assert protocol.start(0.0).write == (READ,)
    assert protocol.on_packet(1.0, report("Q0", b"A")).write == (READ,)
    assert protocol.on_packet(2.0, Packet(b"", "in:81")).write == (READ,)
    assert protocol.on_packet(3.0, Packet(b"", "in:82")).write == ()


def test_a_site_whose_reader_speaks_at_another_endpoint_says_so() -> None:
    protocol = opened({"endpoint": 0x83})
    assert protocol.start(0.0).write == (usb_read(0x83, 64),)
    said = protocol.on_packet(1.0, Packet(report("Q0", b"A").data, "in:83"))
    assert [sample for sample in said.samples if isinstance(sample, Scan)] == [Scan("barcode", "qr-code", b"A")]
    assert [fault.reason for fault in protocol.on_packet(2.0, report("Q0", b"A")).faults] == [Reason.UNEXPECTED]


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=56 * REPORTS_MOST), aim=st.sampled_from(["Q0", "C1", "L2"]))
def test_a_barcode_of_any_length_comes_back_as_it_was(data: bytes, aim: str) -> None:
    scans, faults = fed(reports(aim, data))
    assert [scan.data for scan in scans] == [data]
    assert not faults


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=56 * REPORTS_MOST), aim=st.sampled_from(["Q0", "C1", "L2"]))
def test_the_encoder_cuts_a_barcode_into_the_reports_that_a_reader_would_send(data: bytes, aim: str) -> None:
    """The inverse of the join: it is held against reports that are built here from the manual."""
    compiled = load(device_files()[NAME])
    body = compiled.codec.encode("barcode", {"aim": aim, "data": data}, {})
    assert compiled.framing.packets(compiled.framing.reply(body)) == [one.data for one in reports(aim, data)]


def test_the_simulated_reader_sends_a_long_barcode_report_by_report_as_the_host_asks() -> None:
    simulator = cast(UsbSimulator, load_simulator(NAME)(Random(1)))
    peer, protocol, sent = UsbPeer(simulator), opened(), list[Packet]()
    step = protocol.start(0.0)
    assert [peer.on_packet(packet) for packet in step.write] == [[]]
    simulator.do("scan", symbology="pdf417", data="0123456789" * 20)
    coming, scans = peer.advance(0.02), list[Sample]()
    while coming:
        sent += coming
        (packet,) = coming
        step = protocol.on_packet(0.1, packet)
        scans += [sample for sample in step.samples if isinstance(sample, Scan)]
        coming = [answer for asked in step.write for answer in peer.on_packet(asked)]
    assert [packet.data for packet in sent] == [one.data for one in reports("L0", b"0123456789" * 20)]
    assert scans == [Scan("barcode", "pdf417", b"0123456789" * 20)]


def test_a_barcode_without_end_is_dropped_and_the_next_one_is_read() -> None:
    endless = [report("Q0", b"x" * 56, more=True)] * (REPORTS_MOST + 5)
    scans, faults = fed([*endless, report("Q0", b"end of it"), report("C0", b"next")])
    assert faults == [Reason.OVERFLOW]
    assert scans == [Scan("barcode", "code-128", b"next")]


def test_the_rest_of_a_barcode_must_come_within_a_second() -> None:
    protocol = opened()
    protocol.start(0.0)
    step = protocol.on_packet(10.0, report("Q0", b"x" * 56, more=True))
    assert step.wake_at == 11.0
    late = protocol.on_timer(11.0)
    assert [fault.reason for fault in late.faults] == [Reason.TRUNCATED]
    assert late.wake_at is None
    said = protocol.on_packet(11.1, report("Q0", b"rest")).samples
    assert Scan("barcode", "qr-code", b"rest") in said


LONG = reports("Q0", b"0123456789" * 10)
CUT = Packet(LONG[0].data[:20], "in:81")
TOO_MUCH = Packet(b"\x02\x39" + LONG[0].data[2:], "in:81")


@pytest.mark.parametrize(
    ("spoiled", "expected"),
    [
        ([LONG[0], CUT], [Reason.LENGTH, Reason.TRUNCATED]),
        ([LONG[0], TOO_MUCH], [Reason.RANGE, Reason.TRUNCATED]),
        ([CUT, LONG[1]], [Reason.LENGTH]),
        ([TOO_MUCH, LONG[1]], [Reason.RANGE]),
    ],
    ids=["its end cut short", "its end too long", "its beginning cut short", "its beginning too long"],
)
def test_of_a_barcode_with_a_damaged_report_neither_half_is_read_and_the_next_one_is(
    spoiled: list[Packet], expected: list[Reason]
) -> None:
    protocol = opened()
    protocol.start(0.0)
    steps = [protocol.on_packet(0.0, packet) for packet in spoiled]
    steps.append(protocol.on_packet(1.5, report("d2", b"0112345678901231")))
    assert [fault.reason for step in steps for fault in step.faults] == expected
    scans = [sample for step in steps for sample in step.samples if isinstance(sample, Scan)]
    assert scans == [Scan("barcode", "gs1-data-matrix", b"0112345678901231")]


def test_a_barcode_whose_end_is_of_another_one_is_dropped_and_the_other_one_read() -> None:
    scans, faults = fed([LONG[0], report("C0", b"RR473124829GB")])
    assert (scans, faults) == ([Scan("barcode", "code-128", b"RR473124829GB")], [Reason.SEQUENCE])
