"""What is particular to the HID-POS barcode reader."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.clock import Clock
from devicehub.model.errors import Reason
from devicehub.model.reading import Sample, Scan
from devicehub.registry import load_driver
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet, usb_read
from drivers.scanner.hid_pos import REPORTS_LIMIT, HidPosProtocol
from simulators.scanner.hid_pos import HidPos
from tests.usb_talk import talk

READ = usb_read(0x81, 64)


def report(aim: str, data: bytes, *, more: bool = False) -> Packet:
    body = bytes([2, len(data)]) + b"]" + aim.encode() + data.ljust(56, b"\0") + bytes([0, 0, int(more)])
    return Packet(body, "in:81")


def reports(aim: str, data: bytes) -> list[Packet]:
    pieces = [data[at : at + 56] for at in range(0, len(data), 56)]
    return [report(aim, piece, more=number < len(pieces)) for number, piece in enumerate(pieces, 1)]


def fed(packets: list[Packet]) -> tuple[list[Sample], list[Reason]]:
    protocol = HidPosProtocol(0x81)
    protocol.start(0.0)
    steps = [protocol.on_packet(0.0, packet) for packet in packets]
    return (
        [sample for step in steps for sample in step.samples],
        [fault.reason for step in steps for fault in step.faults],
    )


def test_exactly_one_report_is_asked_for_at_any_time() -> None:
    protocol = HidPosProtocol(0x81)
    assert protocol.start(0.0).write == (READ,)
    assert protocol.on_packet(1.0, report("Q0", b"A")).write == (READ,)
    assert protocol.on_packet(2.0, Packet(b"", "in:81")).write == (READ,)
    assert protocol.on_packet(3.0, Packet(b"", "in:82")).write == ()


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=56 * REPORTS_LIMIT), aim=st.sampled_from(["Q0", "C1", "L2"]))
def test_a_barcode_of_any_length_comes_back_as_it_was(data: bytes, aim: str) -> None:
    samples, faults = fed(reports(aim, data))
    assert [sample.data for sample in samples if isinstance(sample, Scan)] == [data]
    assert not faults


def test_a_barcode_without_end_is_dropped_and_the_next_one_is_read() -> None:
    endless = [report("Q0", b"x" * 56, more=True)] * (REPORTS_LIMIT + 5)
    samples, faults = fed([*endless, report("Q0", b"end of it"), report("C0", b"next")])
    assert faults == [Reason.OVERFLOW]
    assert samples == [Scan("barcode", "code-128", b"next")]


def test_the_rest_of_a_barcode_must_come_within_a_second() -> None:
    protocol = HidPosProtocol(0x81)
    protocol.start(0.0)
    step = protocol.on_packet(10.0, report("Q0", b"x" * 56, more=True))
    assert step.wake_at == 11.0
    late = protocol.on_timer(11.0)
    assert [fault.reason for fault in late.faults] == [Reason.TRUNCATED]
    assert late.wake_at is None
    assert protocol.on_packet(11.1, report("Q0", b"rest")).samples == (Scan("barcode", "qr-code", b"rest"),)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cut", {Reason.TRUNCATED}),
        ("swap", {Reason.SEQUENCE}),
        ("garbage", {Reason.UNEXPECTED}),
        ("short", {Reason.LENGTH}),
    ],
)
async def test_a_spoiled_barcode_is_counted_and_the_next_one_arrives(kind: str, expected: set[Reason]) -> None:
    driver = load_driver("scanner.hid_pos")
    device = HidPos(Random(5))
    port = SimulatedPort(driver.link, lambda: device, Clock(seed=1))
    transport = await port.open()
    protocol = driver.open({})
    device.do("fault", kind=kind)
    device.do("scan", symbology="qr-code", data="0123456789" * 10)
    asyncio.get_running_loop().call_later(5.0, lambda: device.do("scan", symbology="]d2", data="0112345678901231"))
    scans, faults = await talk(protocol, transport, until=lambda _: False, seconds=10.0)
    await transport.close()
    assert {fault.reason for fault in faults} == expected
    assert scans[-1] == Scan("barcode", "gs1-data-matrix", b"0112345678901231")
