"""Zebra SSI over BLE: credits of both sides, scans of any length, and a link that goes away at any notification."""

from random import Random
from typing import cast

import pytest

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, Level, Sample, Scan
from devicehub.registry import load_driver, load_simulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Step
from drivers.scanner._terminal_io import CREDITS_RX, DATA_RX, DATA_TX, IDLE, QUEUE_MOST, Packets, TerminalIo
from simulators.scanner.zebra_ssi_ble import ZebraBleScanner


class Bench:
    """Driver and scanner in steps of 20 ms. `left`: so many notifications still come, then the link is gone."""

    def __init__(self, left: int = 10**9, grants: int = 16) -> None:
        self.device = cast(ZebraBleScanner, load_simulator("scanner.zebra_ssi_ble")(Random(2)))
        self.device.do("stingy", credits=grants)
        self.left = left
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[Reason] = []
        self.granted = self.notified = 0
        self.connect()

    def connect(self) -> None:
        self.protocol = load_driver("scanner.zebra_ssi_ble").open({})
        self.wake: float | None = None
        self.take(self.protocol.start(self.now))

    def take(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += [fault.reason for fault in step.faults]
        self.wake = step.wake_at
        for packet in step.write:
            assert len(packet.data) <= 20
            self.granted += packet.data[0] if packet.port == CREDITS_RX else 0
            self.hear(self.device.on_write(packet.port, packet.data))

    def hear(self, notifications: list[tuple[str, bytes]]) -> None:
        for port, data in notifications:
            if self.left:
                self.left -= 1
                self.notified += port.startswith("00000002")
                self.take(self.protocol.on_packet(self.now, Packet(data, port)))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.hear(self.device.advance(0.02))
            if self.wake is not None and self.now >= self.wake:
                self.take(self.protocol.on_timer(self.now))

    @property
    def scans(self) -> list[bytes]:
        return [sample.data for sample in self.samples if isinstance(sample, Scan)]


def test_an_hour_of_scans_within_the_credits_of_both_sides() -> None:
    bench = Bench()
    bench.device.do("demo")
    bench.run(600)
    assert len(bench.scans) > 40
    assert bench.faults == []
    assert bench.device.overdrawn == 0
    assert bench.granted >= bench.notified > 400


@pytest.mark.parametrize("few", [1, 2, 16])
def test_a_long_code_comes_whole_however_few_credits_the_scanner_gives(few: int) -> None:
    bench = Bench(grants=few)
    bench.device.do("long", length=2500)
    bench.run(20)
    assert bench.scans == [b"Z" * 2500]
    assert (bench.faults, bench.device.overdrawn) == ([], 0)


def test_a_scanner_that_gives_no_credits_is_not_there() -> None:
    bench = Bench(grants=0)
    bench.run(10)
    assert bench.samples == [Capability("barcode", Level.NONE, Cause.NOT_CONNECTED)]
    assert set(bench.faults) == {Reason.TIMEOUT}


def test_what_waits_for_credits_is_bounded() -> None:
    line = TerminalIo()
    many = [Packet(bytes(250))] * 100
    assert [fault.reason for fault in line.send(many)].count(Reason.OVERFLOW) >= 1
    assert len(line._queue) <= QUEUE_MOST
    assert all(packet.port == DATA_RX for packet in line.pieces())


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(bytes(20), id="no packet is so short"),
        pytest.param(b"\xff" * 20, id="no packet is so long"),
        pytest.param(bytes.fromhex("0a00 07 f3 00 00"), id="the lengths do not agree"),
    ],
)
def test_behind_bytes_that_begin_no_packet_the_next_is_heard_without_a_pause(garbage: bytes) -> None:
    """However many they were: one fault for all of them, and no more is kept than a length may promise."""
    line, held, whole = TerminalIo(), Packets(), bytes.fromhex("0800 04 d0 00 00 ff2c")
    for _ in range(1000):
        list(held.feed(garbage))
        assert len(held._buffer) < 259
    heard = [found for _ in range(1000) for found in line.take(1.0, Packet(garbage, DATA_TX))]
    assert [found.reason for found in heard if isinstance(found, ProtocolError)] == [Reason.LENGTH]
    assert len(heard) == 1
    assert list(line.take(1.0, Packet(whole, DATA_TX))) == [whole[2:]]
    assert line.wake_at is None


def test_a_packet_that_is_never_finished_is_given_up_when_its_rest_does_not_come() -> None:
    line = TerminalIo()
    assert list(line.take(1.0, Packet(bytes.fromhex("0301 ff f3 00 00"), DATA_TX))) == []
    assert line.wake_at == 1.0 + IDLE
    assert list(line.on_timer(1.0 + IDLE / 2)) == []
    assert [fault.reason for fault in line.on_timer(1.0 + IDLE) if isinstance(fault, ProtocolError)] == [
        Reason.TRUNCATED
    ]
    assert line.wake_at is None


def test_packets_that_one_swallowed_are_found_when_its_rest_does_not_come() -> None:
    line, whole = TerminalIo(), bytes.fromhex("0800 04 d0 00 00 ff2c")
    assert list(line.take(1.0, Packet(bytes.fromhex("0301 ff f3 00 00") + whole + whole, DATA_TX))) == []
    fault, *packets = line.on_timer(1.0 + IDLE)
    assert isinstance(fault, ProtocolError)
    assert packets == [whole[2:], whole[2:]]


@pytest.mark.parametrize("verb", ["corrupt", "deaf"])
def test_a_damaged_packet_costs_no_scan_and_gives_no_second_one(verb: str) -> None:
    bench = Bench()
    bench.run(1)
    bench.device.do(verb)
    bench.device.do("scan", code="PK0001")
    bench.run(4)
    assert bench.scans == [b"PK0001"]


@pytest.mark.parametrize("length", [240, 300])
@pytest.mark.parametrize("left", range(24))
def test_a_link_that_goes_away_at_any_notification_is_begun_anew(left: int, length: int) -> None:
    """The scanner sends again what was not answered; a code whose first segment was answered is lost, and told so."""
    bench = Bench(left)
    bench.device.do("long", length=length)
    bench.run(1)
    bench.left = 10**9
    bench.device.hang_up()
    bench.connect()
    bench.run(6)
    assert set(bench.scans) == {b"Z" * length} or (length > 250 and bench.faults)
    bench.device.do("scan", code="PK0002")
    bench.run(2)
    assert bench.scans[-1] == b"PK0002"


def test_commands_go_over_it_as_over_a_wire() -> None:
    bench = Bench()
    bench.run(1)
    assert isinstance(bench.protocol, Commanded)
    bench.take(bench.protocol.on_command(bench.now, Call(1, "identify", {}, bench.now + 5)))
    bench.run(1)
    assert bench.device.beeps == 1
