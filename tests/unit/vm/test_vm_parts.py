"""What the machine of tests/vm is made of, as far as it needs none."""

import lzma
import struct
from random import Random

import pytest

from devicehub.simulator import StallError
from simulators.endoscope.uvc_endoscope import UvcEndoscope
from simulators.thermal.flir_boson import FlirBoson
from simulators.thermal.seek_compact import SeekCompact
from tests.real.usb_devices import Echo
from tests.vm.gadget import Gadget
from tests.vm.kernel import archive, without_wrapping
from tests.vm.serial_gadgets import acm, ftdi
from tests.vm.usb_gadgets import barcode_reader, usb_device
from tests.vm.usbip import Setup, Submission, Unlinking, parse, submitted
from tests.vm.video_gadgets import PAYLOAD, camera


class Chatter:
    """A serial device that says what it is told to."""

    def __init__(self) -> None:
        self.said = b""

    def do(self, verb: str, **values: float | str) -> None:
        raise ValueError(verb)

    def on_bytes(self, data: bytes) -> bytes:
        return data.upper()

    def advance(self, dt: float) -> bytes:
        said, self.said = self.said, b""
        return said


def test_a_kernel_comes_out_of_its_wrapping_and_another_wrapping_stays() -> None:
    payload = lzma.compress(b"\x7fELF")
    image = bytearray(0x400) + payload
    image[0x1F1] = 1
    struct.pack_into("<II", image, 0x248, 0, len(payload))
    assert without_wrapping(bytes(image)) == b"\x7fELF"
    image[0x400:] = b"zstd"
    assert without_wrapping(bytes(image)) == bytes(image)


def test_an_archive_has_its_folders_before_its_files_and_an_end() -> None:
    data = archive({"bin/sh": b"#!"})
    assert data.index(b"bin\0") < data.index(b"bin/sh\0") < data.index(b"TRAILER!!!\0")
    assert data.startswith(b"070701")
    assert len(data) % 4 == 0


def test_a_submission_and_an_unlinking_are_told_apart() -> None:
    head = struct.pack(">5I iiiii 8s", 1, 7, 0x10001, 1, 2, 0, 512, 0, -1, 0, bytes.fromhex("c001020003004000"))
    assert parse(head) == Submission(7, 0x82, 512, 0, Setup(0xC0, 1, 2, 3, 64))
    assert parse(struct.pack(">5I I 24x", 2, 9, 0, 0, 0, 7)) == Unlinking(9, 7)
    with pytest.raises(ValueError, match="no command 5"):
        parse(struct.pack(">5I 28x", 5, 0, 0, 0, 0))


def test_an_answer_carries_what_came_and_how_much() -> None:
    wanted = Submission(7, 0x82, 512, 0, Setup(0, 0, 0, 0, 0))
    assert submitted(wanted, 0, b"abc")[20:28] == struct.pack(">ii", 0, 3)
    assert submitted(wanted, 0, b"abc").endswith(b"abc")
    assert len(submitted(wanted, -32)) == 48


def test_a_device_describes_itself_as_its_model_says() -> None:
    camera = Gadget(SeekCompact(Random(1)))
    assert camera.control(Setup(0x80, 6, 0x0100, 0, 64), b"")[8:12] == bytes.fromhex("9d281000")
    whole = camera.control(Setup(0x80, 6, 0x0200, 0, 255), b"")
    assert struct.unpack_from("<H", whole, 2)[0] == len(whole)
    assert camera.control(Setup(0x80, 6, 0x0302, 0x409, 255), b"").decode("utf-16-le")[1:] == "PIR206 Thermal Camera"
    with pytest.raises(StallError):
        camera.control(Setup(0x80, 6, 0x0304, 0x409, 255), b"")


def test_a_stalled_endpoint_stays_so_until_it_is_cleared() -> None:
    model = Echo()
    device = Gadget(model)
    model.stalls[0x81] = 1
    for _ in range(2):
        with pytest.raises(StallError):
            device.give(0x81, 64)
    device.control(Setup(0x02, 1, 0, 0x81, 0), b"")
    assert device.give(0x81, 64) is None


def test_what_only_the_model_knows_is_asked_of_it() -> None:
    with pytest.raises(StallError):
        Gadget(barcode_reader()).control(Setup(0xC0, 1, 0, 0, 8), b"")


def test_a_modem_gives_what_the_device_says_and_loses_what_does_not_fit() -> None:
    chatter = Chatter()
    device = acm(chatter)
    device.take(0x01, b"hello")
    assert device.give(0x81, 64) == b"HELLO"
    assert device.give(0x81, 64) is None
    chatter.said = bytes(5000)
    device.model.advance(0.1)
    assert sum(len(device.give(0x81, 64) or b"") for _ in range(100)) == 4096


def test_a_bridge_puts_two_bytes_of_status_before_every_packet() -> None:
    chatter = Chatter()
    device = ftdi(chatter)
    chatter.said = bytes(range(70))
    device.model.advance(0.001)
    assert device.give(0x81, 512) == b"\x01\x60" + bytes(range(62)) + b"\x01\x60" + bytes(range(62, 70))
    assert device.give(0x81, 512) is None
    device.model.advance(0.02)
    assert device.give(0x81, 512) == b"\x01\x60"


def test_a_reader_of_barcodes_describes_its_reports() -> None:
    reader = usb_device(barcode_reader())
    whole = reader.control(Setup(0x80, 6, 0x0200, 0, 255), b"")
    size = struct.unpack_from("<H", whole, whole.index(b"\x09\x21") + 7)[0]
    assert len(reader.control(Setup(0x81, 6, 0x2200, 0, 255), b"")) == size


def test_a_camera_streams_nothing_before_a_format_is_committed_and_then_whole_frames_in_payloads() -> None:
    boson = camera(FlirBoson(Random(1)))
    boson.model.advance(1.0)
    assert boson.give(0x82, PAYLOAD) is None
    probe = boson.control(Setup(0xA1, 0x81, 0x0100, 1, 34), b"")
    boson.control(Setup(0x21, 0x01, 0x0200, 1, len(probe)), probe)
    boson.model.advance(0.12)
    payloads: list[bytes] = []
    while not payloads or not payloads[-1][1] & 2:
        payload = boson.give(0x82, PAYLOAD)
        assert payload is not None
        payloads.append(payload)
    assert sum(len(payload) - 2 for payload in payloads) == 320 * 256 * 2
    assert len({payload[1] & 1 for payload in payloads}) == 1


def test_a_camera_names_all_its_formats_and_tells_of_its_button() -> None:
    endoscope = camera(UvcEndoscope(Random(1)))
    whole = endoscope.control(Setup(0x80, 6, 0x0200, 0, 4096), b"")
    assert struct.unpack_from("<H", whole, 2)[0] == len(whole)
    assert whole.count(b"\x24\x07") == 2
    assert b"YUY2" in whole
    endoscope.model.do("press")
    endoscope.model.advance(0.05)
    endoscope.model.advance(0.2)
    assert [endoscope.give(0x81, 16) for _ in range(3)] == [b"\x02\x01\x00\x01", b"\x02\x01\x00\x00", None]
