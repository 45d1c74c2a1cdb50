"""Useeplus endoscope: published vectors, and the simulator's faults through the driver."""

from random import Random

import pytest

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Measurement, Sample, Trigger
from devicehub.registry import load_driver
from devicehub.simulator import StallError
from devicehub.wire.packet import Packet, usb_read, usb_write
from devicehub.wire.protocol import Step
from drivers.endoscope._useeplus_packets import Piece, one_piece, page_pieces
from drivers.endoscope.useeplus import MAX_FRAME, READS_IN_FLIGHT
from simulators.endoscope._camera import picture
from simulators.endoscope.useeplus import Useeplus

DRIVER = load_driver("endoscope.useeplus")
PUBLISHED_11 = "aabb0bab0308000060333024ffd8ffe000104a46494600010201004800480000ffdb0084"
PUBLISHED_7 = "aabb07ab0300000057430073"
SIZE = 944


class Session:
    """Driver and simulator joined without a loop: every read is served as soon as there is something."""

    def __init__(self, **options: int) -> None:
        self.simulator = Useeplus(Random(3))
        self._protocol = DRIVER.open(options)
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.now = 0.0
        self._reads: list[tuple[int, int]] = []
        self._step = self._protocol.start(0.0)
        self._after()

    def run(self, seconds: float) -> "Session":
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.simulator.advance(0.02)
            if self._step.wake_at is not None and self._step.wake_at <= self.now:
                self._step = self._protocol.on_timer(self.now)
                self._after()
            self._serve()
        return self

    def _serve(self) -> None:
        for read in list(self._reads):
            data = self.simulator.transfer_in(*read)
            if data is not None:
                self._reads.remove(read)
                self._step = self._protocol.on_packet(self.now, Packet(data, f"in:{read[0]:02x}"))
                self._after()
                self._serve()
                return

    def _after(self) -> None:
        self.samples.extend(self._step.samples)
        self.faults.extend(self._step.faults)
        for packet in self._step.write:
            kind, *words = packet.port.split(":")
            if kind == "in":
                self._reads.append((int(words[0], 16), int(words[1])))
            elif kind == "out":
                self.simulator.transfer_out(int(words[0], 16), packet.data)

    def images(self) -> list[Image]:
        return [sample for sample in self.samples if isinstance(sample, Image)]

    def reasons(self) -> list[Reason]:
        return [fault.reason for fault in self.faults]


def test_the_published_headers_decode() -> None:
    (piece,) = one_piece(bytes.fromhex(PUBLISHED_11).ljust(SIZE, b"\0"))
    assert piece == Piece(11, 8, 0, pressed=False, payload=bytes.fromhex(PUBLISHED_11)[12:].ljust(932, b"\0"))
    (piece,) = one_piece(bytes.fromhex(PUBLISHED_7).ljust(SIZE, b"\0"))
    assert piece == Piece(7, 0, 0, pressed=False, payload=bytes(932))


def test_the_published_headers_alone_are_cut_packets() -> None:
    for text in (PUBLISHED_11, PUBLISHED_7):
        (fault,) = one_piece(bytes.fromhex(text))
        assert isinstance(fault, ProtocolError)
        assert fault.reason is Reason.TRUNCATED


def test_the_start_sequence_is_the_published_one() -> None:
    protocol = DRIVER.open({})
    assert protocol.start(0.0).write == (usb_read(0x82, 512),)
    write = protocol.on_timer(0.1).write
    assert [packet.port for packet in write[:4]] == ["halt:82", "halt:02", "halt:81", "halt:01"]
    assert write[4:6] == (usb_write(2, bytes.fromhex("ff55ff55ee10")), usb_write(1, bytes.fromhex("bbaa050000")))
    assert write[6:] == (usb_read(0x81, 1024),) * READS_IN_FLIGHT


def test_draining_ends_after_thirty_leftovers() -> None:
    protocol = DRIVER.open({})
    protocol.start(0.0)
    steps = [protocol.on_packet(0.01, Packet(bytes(512), "in:82")) for _ in range(30)]
    assert all(step.write == (usb_read(0x82, 512),) for step in steps[:29])
    assert usb_write(1, bytes.fromhex("bbaa050000")) in steps[29].write


def test_the_simulator_takes_the_published_probe_and_stop() -> None:
    simulator = Useeplus(Random(1))
    for probe in ("0000020115160500", "0000020315160500"):
        for value in (0x0100, 0x0200):
            simulator.control_out(0x21, 1, value, 1, bytes.fromhex(probe).ljust(26, b"\0"))
    with pytest.raises(StallError):
        simulator.transfer_out(1, bytes.fromhex("bbaa050000"))  # not connected yet
    simulator.transfer_out(2, bytes.fromhex("ff55ff55ee10"))
    simulator.transfer_out(1, bytes.fromhex("bbaa050000"))
    simulator.advance(0.02)
    assert simulator.transfer_in(0x81, 1024) is not None
    simulator.transfer_out(1, bytes.fromhex("bbaa060000"))
    while simulator.transfer_in(0x81, 1024) is not None:
        pass
    simulator.advance(1.0)
    assert simulator.transfer_in(0x81, 1024) is None


@pytest.mark.parametrize("stream", [7, 11])
def test_both_stream_ids_carry_video_and_the_other_is_telemetry(stream: int) -> None:
    session = Session()
    session.simulator.do("stream", id=stream)
    session.simulator.do("fault", kind="telemetry")
    session.run(2)
    assert not session.faults
    assert len(session.images()) > 30
    known = {picture(640, 480, (phase, 0), 0.0, dark=False, tables=True) for phase in range(4)}
    assert {image.data for image in session.images()} <= known
    counters = [image.counter for image in session.images()]
    assert counters == list(range(1, len(counters) + 1))


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("lost-packet", [Reason.CORRUPT]),
        ("lost-first", [Reason.CORRUPT]),
        ("lost-last", [Reason.TRUNCATED]),
        ("truncated", [Reason.TRUNCATED, Reason.CORRUPT]),
        ("garbage", [Reason.GARBAGE]),
        ("mute", [Reason.TIMEOUT]),
    ],
)
def test_a_fault_is_counted_and_the_stream_goes_on(kind: str, reasons: list[Reason]) -> None:
    session = Session().run(1)
    session.simulator.do("fault", kind=kind)
    session.run(3)
    assert session.reasons() == reasons
    before = len(session.images())
    assert len(session.run(1).images()) >= before + 19


def test_bytes_of_the_next_packet_behind_a_packet_do_not_count() -> None:
    session = Session()
    session.simulator.do("fault", kind="tail")
    session.run(2)
    assert not session.faults
    assert len(session.images()) > 30


@pytest.mark.parametrize("size", [4096, 8192, 16384])
def test_pages_with_ghost_headers_give_the_same_pictures(size: int) -> None:
    session = Session(**{"read-size": size})
    session.simulator.do("fault", kind="ghost")
    session.run(3)
    assert not session.faults
    assert len(session.images()) > 45


def test_packets_of_whole_pages_without_gaps_are_read_too() -> None:
    packets = [bytes.fromhex(PUBLISHED_11)[:12] + bytes(932)] * 4
    assert [type(part) for part in page_pieces(b"".join(packets).ljust(4096, b"\0"), 8)] == [Piece] * 4


def test_a_press_is_one_trigger_however_many_packets_and_frames_show_it() -> None:
    session = Session().run(1)
    for _ in range(2):
        session.simulator.do("press", seconds=0.5)
        session.run(2)
    assert [sample for sample in session.samples if isinstance(sample, Trigger)] == [Trigger("snapshot")] * 2


def test_the_lens_is_reported_at_the_start_and_when_it_changes() -> None:
    session = Session().run(1)
    session.simulator.do("lens", number=1)
    session.run(1)
    lenses = [s.label for s in session.samples if isinstance(s, Measurement) and s.channel == "lens"]
    assert lenses == ["main", "side"]


def _sent(payload: bytes, frame: int, stream: int = 11) -> Packet:
    head = b"\xaa\xbb" + bytes([stream]) + (7 + len(payload)).to_bytes(2, "little")
    return Packet(head + bytes([frame, 0, 0]) + bytes(4) + payload, "in:81")


def _pieces(jpeg: bytes, frame: int, stream: int = 11) -> list[Packet]:
    return [_sent(jpeg[at : at + 932], frame, stream) for at in range(0, len(jpeg), 932)]


def _pictures(packets: list[Packet]) -> tuple[list[bytes], list[Reason]]:
    protocol = DRIVER.open({"drain": False})
    protocol.start(0.0)
    steps = [protocol.on_packet(0.1, packet) for packet in packets]
    images = [sample.data for step in steps for sample in step.samples if isinstance(sample, Image)]
    return images, [fault.reason for step in steps for fault in step.faults]


def test_the_stream_that_begins_a_jpeg_is_the_video_from_then_on() -> None:
    """Also where another was it before, and nothing that only begins with its first byte makes one of it."""
    jpeg = picture(640, 480, (0, 0), 0.0, dark=False, tables=True)
    telemetry = [_sent(b"\xff\x01 telemetry", 77, 7)]
    packets = [*_pieces(jpeg, 1), *telemetry, *_pieces(jpeg, 2), *_pieces(jpeg, 3, 7), *_pieces(jpeg, 4, 7)]
    assert _pictures([*packets, _sent(b"x", 5, 7)]) == ([jpeg] * 4, [])


def test_a_frame_may_be_as_large_as_its_limit_and_the_next_begins_anew() -> None:
    """One byte more and it is dropped, and it alone."""
    jpeg = picture(640, 480, (0, 0), 0.0, dark=False, tables=True)
    largest = jpeg.ljust(MAX_FRAME, b"\0")
    packets = [*_pieces(largest, 1), *_pieces(largest + b"\0", 2), *_pieces(jpeg, 3), _sent(b"x", 4)]
    assert _pictures(packets) == ([jpeg, jpeg], [Reason.OVERFLOW])


def test_a_camera_is_silent_2_s_after_its_last_packet_and_started_again_every_2_s() -> None:
    """Starting it again clears no halts: they were cleared when the link was begun."""
    protocol = DRIVER.open({"drain": False})
    assert protocol.start(0.0).wake_at == 2.0
    assert protocol.on_packet(1.5, _sent(b"x", 1)).wake_at == 3.5
    assert protocol.on_timer(2.0).wake_at == 3.5
    late = protocol.on_timer(3.5)
    assert [fault.reason for fault in late.faults] == [Reason.TIMEOUT]
    assert late.write == (usb_write(2, bytes.fromhex("ff55ff55ee10")), usb_write(1, bytes.fromhex("bbaa050000")))
    assert late.wake_at == 5.5
    assert protocol.on_timer(4.0) == Step(wake_at=5.5)
    assert protocol.on_packet(4.5, Packet(b"", "in:82")).wake_at == 5.5


def test_a_frame_that_never_ends_is_dropped_at_its_limit() -> None:
    protocol = DRIVER.open({"drain": False})
    protocol.start(0.0)
    first = bytes.fromhex(PUBLISHED_11).ljust(SIZE, b"\0")
    for _ in range(MAX_FRAME // 932 + 100):
        assert not protocol.on_packet(0.1, Packet(first, "in:81")).faults
    other = first[:5] + b"\x09" + first[6:]
    (fault,) = protocol.on_packet(0.2, Packet(other, "in:81")).faults
    assert fault.reason is Reason.OVERFLOW
