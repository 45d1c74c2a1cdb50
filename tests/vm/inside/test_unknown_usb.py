"""`record` of a USB device that no driver is given for, on the kernel's own drivers and libusb."""

import asyncio
import re
from pathlib import Path

import pytest

from devicehub.cli.parser import build_parser
from devicehub.cli.record_unknown import record_unknown
from devicehub.clock import Clock
from devicehub.model.errors import LinkBusyError
from devicehub.record import parse
from tests.vm.inside.opening import LOOK_AGAIN, PATIENCE
from tests.vm.sockets import Sockets
from tests.vm.usb_gadgets import barcode_reader, usb_device

pytestmark = pytest.mark.vm

DEVICES = Path("/sys/bus/usb/devices")
HASTE = 4.0


def record(out: Path) -> int:
    return record_unknown(build_parser().parse_args(["record", "usb:0db5:013b", str(out), "--for", "8"]))


def free_as_told(words: str) -> None:
    told = re.search(r"'echo (\S+) \| sudo tee (\S+)'", words)
    assert told is not None
    place, unbind = told.groups()
    Path(unbind).write_text(place)


async def until_the_kernel_has_it() -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(
            (one.parent / f"{one.parent.name}:1.0" / "driver").exists()
            for one in DEVICES.glob("*/idVendor")  # noqa: ASYNC240 - sysfs does not wait
            if one.read_text().strip() == "0db5"
        ):
            await Clock().sleep(LOOK_AGAIN)


async def test_what_usbhid_holds_is_left_to_it_and_can_be_listened_to_once_it_was_freed_as_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = barcode_reader()
    reader.do("demo")
    with Sockets(HASTE) as sockets:
        sockets.plug(usb_device(reader))
        await until_the_kernel_has_it()
        with pytest.raises(LinkBusyError, match=r"in the hands of the kernel \(usbhid\) and left alone") as caught:
            await asyncio.to_thread(record, tmp_path / "held.txt")
        assert "#   HID report descriptor: 05 8c 09 02 a1 01 85 02 " in (tmp_path / "held.txt").read_text()
        free_as_told(str(caught.value))
        assert await asyncio.to_thread(record, tmp_path / "freed.txt") == 0
    text = (tmp_path / "freed.txt").read_text()
    assert "#   HID report descriptor: 05 8c 09 02 a1 01 85 02 " in text
    heard = [one.packet for one in parse(text) if one.packet is not None]
    assert {one.port for one in heard} == {"in:81"}
    assert "# May be scanner.hid_pos (0.9: USB id 0db5:013b)." in text
    assert "may be scanner.hid_pos" in capsys.readouterr().out
