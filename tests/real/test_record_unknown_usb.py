"""`record` of a USB device that no driver is given for, on a simulated bus through unmodified pyusb."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.cli.exits import CommandError
from devicehub.cli.parser import build_parser
from devicehub.cli.record import run
from devicehub.cli.record_unknown import record_unknown
from devicehub.cli.unknown_place import Way
from devicehub.cli.unknown_usb import listen_usb
from devicehub.clock import Clock
from devicehub.model.errors import LinkBusyError, LinkError, LinkLostError, LinkMissingError, LinkPermissionError
from devicehub.record import parse
from devicehub.registry import load_simulator
from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor, UsbSimulator
from devicehub.transport.usb_bus import UsbBus
from tests.patience import PATIENCE
from tests.real.usb_devices import Echo

pytestmark = pytest.mark.real

REPORT = bytes.fromhex("06 00 ff 09 01 a1 01 c0")
HID = bytes.fromhex("09 21 11 01 00 01 22 08 00")


class Stranger(Echo):
    """One interface of a maker's own, one HID interface, and a setting that nobody chose. Counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int, int, int]] = []
        self.descriptor = UsbDescriptor(
            vendor=0x1209, product=0x0001, serial="E-1", manufacturer="Acme\n9.00 < ff", title="Sniffer",
            interfaces=(
                Interface(0, 0, endpoints=(Endpoint(0x81), Endpoint(0x02), Endpoint(0x84, "isochronous", 192))),
                Interface(0, 1, endpoints=(Endpoint(0x85),)),
                Interface(1, 0, (3, 0, 0), (Endpoint(0x83, "interrupt", 64),), HID),
            ),
        )  # fmt: skip

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        if (request_type, request, value, index) == (0x81, 0x06, 0x2200, 1):
            return REPORT[:size]
        raise StallError

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        self.told.append((request_type, request, value, index))


class Desk:
    """A bus, and `record` on it in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.bus = UsbBus()
        self.out = folder / "out.txt"
        self.sysfs = folder / "sys"

    def record(self, place: str, seconds: str = "1") -> int:
        args = build_parser().parse_args(["record", place, str(self.out), "--for", seconds, "--json"])
        return record_unknown(args, {Way.USB: partial(listen_usb, backend=self.bus.backend, sysfs=self.sysfs)})

    async def while_recording(
        self, device: UsbSimulator, act: Callable[[], Awaitable[None] | None], seconds: str = "2"
    ) -> int:
        """Do something once the device is held; what the recording ended with."""
        recording = asyncio.ensure_future(asyncio.to_thread(self.record, "usb:1-2.3", seconds))
        await until(lambda: recording.done() or bool(self.bus.claimed(device)))
        if (doing := act()) is not None:
            await doing
        self.bus.advance(0)
        return await recording

    def said(self) -> list[str]:
        return [f"{one.sign} {one.text}" for one in parse(self.out.read_text())]

    def folder(self, interface: str) -> Path:
        """Of an interface that a kernel driver has, in sysfs."""
        folder = self.sysfs / "bus" / "usb" / "devices" / interface
        folder.mkdir(parents=True)
        return folder


async def until(condition: Callable[[], bool]) -> None:
    clock = Clock()
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await clock.sleep(0.01)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def stranger(desk: Desk) -> Stranger:
    device = Stranger()
    desk.bus.plug(device, port="2.3")
    return device


async def test_what_it_is_is_written_down_and_what_it_says_and_nothing_is_written_to_it(
    desk: Desk, stranger: Stranger, capsys: pytest.CaptureFixture[str]
) -> None:
    def says() -> None:
        stranger.ready[0x81].extend([b"\x01\x02", b"", b"\x03"])
        stranger.ready[0x83].append(b"\x04")
        stranger.ready[0x85].append(b"\x05")

    assert await desk.while_recording(stranger, says) == 0
    assert sorted(desk.said()) == ["< @in:81", "< @in:81 01 02", "< @in:81 03", "< @in:83 04"]
    assert [one for one in desk.said() if "81" in one] == ["< @in:81 01 02", "< @in:81", "< @in:81 03"]
    told = json.loads(capsys.readouterr().out)
    assert (told["received"], told["bytes"], told["candidates"]) == (4, 4, [])
    text = desk.out.read_text()
    assert "# Unknown USB device 1209:0001 at 1-2.3, recorded " in text
    assert "# Manufacturer 'Acme\\x0a9.00 < ff', product 'Sniffer', serial number 'E-1'.\n" in text
    assert "# USB 2.00, release 1.00, class 00/00/00.\n# Configuration 1 is active.\n" in text
    assert "# Interface 0 of configuration 1, setting 0: class ff/00/00\n#   endpoint 81: bulk in, 512 bytes\n" in text
    assert "#   endpoint 02: bulk out, 512 bytes\n#   endpoint 84: isochronous in, 192 bytes\n" in text
    assert (
        "# Interface 0 of configuration 1, setting 1: class ff/00/00, not in force and therefore not listened" in text
    )
    assert "# Interface 1 of configuration 1, setting 0: class 03/00/00 (HID)\n" in text
    assert f"#   class descriptors: {HID.hex(' ')}\n#   HID report descriptor: {REPORT.hex(' ')}\n" in text
    assert (stranger.told, stranger.written) == ([], [])
    assert desk.bus.claimed(stranger) == set()
    assert desk.out.stat().st_mode & 0o777 == 0o600


async def test_what_a_kernel_driver_holds_is_left_to_it_and_the_rest_is_listened_to(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Stranger()
    desk.bus.plug(stranger, port="2.3", kernel_drivers=(1,))
    folder = desk.folder("1-2.3:1.1")
    (desk.sysfs / "usbhid").mkdir()
    (folder / "driver").symlink_to(desk.sysfs / "usbhid")
    (folder / "0003:1209:0001.0007").mkdir()
    (folder / "0003:1209:0001.0007" / "report_descriptor").write_bytes(REPORT)
    assert await desk.while_recording(stranger, lambda: stranger.ready[0x81].append(b"\x01")) == 0
    assert desk.said() == ["< @in:81 01"]
    line = (
        "interface 1 is in the hands of the kernel (usbhid) and left alone: set a scanner that types like a keyboard to a "
        "serial port, as its manual says; else 'echo 1-2.3:1.1 | sudo tee /sys/bus/usb/drivers/usbhid/unbind' frees it until "
        "it is plugged in again"
    )
    assert f"# {line}\n" in desk.out.read_text()
    assert line in capsys.readouterr().err
    assert f"#   HID report descriptor: {REPORT.hex(' ')}\n" in desk.out.read_text()
    assert desk.bus.kernel_drivers(stranger) == {1}


@pytest.mark.parametrize(
    ("triple", "node", "instead"),
    [
        ((14, 2, 0), "", "it is a camera; 'devicehub devices scan' shows its node and the drivers for it"),
        ((10, 0, 0), "", "record its serial port, which 'devicehub devices scan' shows"),
        ((255, 0, 0), "ttyUSB0", "record its serial port, which 'devicehub devices scan' shows"),
        ((8, 6, 80), "", "'echo 1-1:1.0 | sudo tee /sys/bus/usb/drivers/DRIVER/unbind' frees it until"),
    ],
)
def test_of_one_that_the_kernel_has_altogether_the_descriptors_are_kept_and_it_is_said_what_to_do(
    desk: Desk, triple: tuple[int, int, int], node: str, instead: str
) -> None:
    device = Echo()
    device.descriptor = UsbDescriptor(
        vendor=0x1209, product=1, interfaces=(Interface(0, 0, triple, (Endpoint(0x81),)),)
    )
    desk.bus.plug(device, kernel_drivers=(0,))
    (desk.folder("1-1:1.0") / node).mkdir(exist_ok=True)
    with pytest.raises(LinkBusyError, match="in the hands of the kernel and left alone: ") as caught:
        desk.record("usb:1209:0001")
    assert instead in str(caught.value)
    assert "endpoint 81: bulk in" in desk.out.read_text()
    assert desk.bus.kernel_drivers(device) == {0}


async def test_an_endpoint_that_stalls_is_left_so_and_the_others_are_read_on(desk: Desk, stranger: Stranger) -> None:
    def says() -> None:
        stranger.stalls[0x81] = 1
        desk.bus.advance(0)
        stranger.ready[0x83].append(b"\x04")
        stranger.ready[0x81].append(b"\x01")

    assert await desk.while_recording(stranger, says) == 0
    assert desk.said() == ["< @in:83 04"]
    assert "# Endpoint 81 stalls; it is left so and not asked any more.\n" in desk.out.read_text()


async def test_one_that_is_yanked_ends_the_recording_and_what_it_said_is_kept(desk: Desk, stranger: Stranger) -> None:
    async def goes() -> None:
        stranger.ready[0x81].append(b"\x01")
        desk.bus.advance(0)
        await until(lambda: not stranger.ready[0x81])
        desk.bus.unplug(stranger)

    with pytest.raises(LinkLostError, match="No such device"):
        await desk.while_recording(stranger, goes, str(PATIENCE))
    assert desk.said() == ["< @in:81 01"]


async def test_the_driver_of_one_that_is_known_is_named_by_its_id_and_by_its_bytes(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = cast(UsbSimulator, load_simulator("scanner.hid_pos")(Random(1)))
    desk.bus.plug(reader, port="2.3")

    def scans() -> None:
        reader.do("scan", symbology="qr-code", data="HELLO")
        desk.bus.advance(1)

    assert await desk.while_recording(reader, scans) == 0
    (first, *_) = json.loads(capsys.readouterr().out)["candidates"]
    assert (first["driver"], first["why"]) == ("scanner.hid_pos", f"USB id {reader.descriptor.vendor:04x}:013b")
    assert "# May be scanner.hid_pos (0.9: USB id " in desk.out.read_text()


def test_of_one_that_may_not_be_opened_nothing_is_kept_and_its_rule_is_told(desk: Desk) -> None:
    desk.bus.plug(Stranger(), port="2.3", accessible=False)
    with pytest.raises(LinkPermissionError, match=r"61-unknown\.rules") as caught:
        desk.record("usb:1-2.3")
    assert 'ATTR{idVendor}=="1209", ATTR{idProduct}=="0001", GROUP="devicehub"' in str(caught.value)
    assert not desk.out.exists()


def test_one_that_is_not_there_or_there_twice_leaves_no_file(desk: Desk) -> None:
    with pytest.raises(LinkMissingError, match=r"no USB device 1209:0001: plug it in; 'devicehub devices scan' shows"):
        desk.record("usb:1209:0001")
    desk.bus.plug(Echo(), port="1")
    desk.bus.plug(Echo(), port="2.3")
    with pytest.raises(LinkError, match=r"2 USB devices are 1209:0001: say which by its place, one of 1-1, 1-2\.3"):
        desk.record("usb:1209:0001")
    assert not desk.out.exists()


def test_one_without_an_endpoint_that_speaks_has_nothing_to_record(desk: Desk) -> None:
    device = Echo()
    device.descriptor = UsbDescriptor(vendor=0x1209, product=1, interfaces=(Interface(0, 0, endpoints=(Endpoint(2),)),))
    desk.bus.plug(device)
    with pytest.raises(LinkError, match="has nothing that speaks"):
        desk.record("1-1")


def test_a_configured_device_may_be_called_as_a_socket_is(tmp_path: Path) -> None:
    config = tmp_path / "devicehub.toml"
    config.write_text(
        '[hub]\nsite = "s"\nnode = "n"\nexercise = true\n'
        '[[device]]\nid = "1-2"\ndriver = "radiation.atom_fast"\nport = "sim:"\n'
    )
    out = tmp_path / "out.txt"
    args = build_parser().parse_args(["record", "1-2", str(out), "--for", "1", "--config", str(config)])
    assert run(args) == 0
    assert "# Device 1-2, driver radiation.atom_fast, simulated, recorded " in out.read_text()


@pytest.mark.parametrize("place", ["usb:", "usb:scanner", "usb:1209"])
def test_what_is_no_place_of_a_usb_device_is_a_wrong_command_line(desk: Desk, place: str) -> None:
    with pytest.raises(CommandError, match=r"is no USB device: give usb:VENDOR:PRODUCT, or its place as usb:1-2\.3"):
        desk.record(place)
    assert not desk.out.exists()


@pytest.mark.parametrize(
    ("node", "instead"),
    [
        ("/dev/video0", "'devicehub devices add /dev/video0 --driver endoscope.uvc_endoscope'; record that"),
        ("/dev/hidraw3", "record that, as usb:1-2.3; see 'devices scan'"),
        ("/dev/input/event5", "record that, as usb:1-2.3; see 'devices scan'"),
    ],
)
def test_of_a_node_that_the_kernel_made_it_is_said_what_to_record(desk: Desk, node: str, instead: str) -> None:
    with pytest.raises(CommandError) as caught:
        desk.record(node)
    assert (int(caught.value.code), str(caught.value).endswith(instead)) == (2, True)
    assert not desk.out.exists()
