"""Equal USB id and serial number in two sockets: said once, and only of devices this hub may open."""

from devicehub.model.device import UsbId
from devicehub.registry import load_driver
from devicehub.transport.inventory import Key, Kind, Present
from devicehub.twins import Twins

SEEK = UsbId(0x289D, 0x0010)


def plugged(port: str, usb: UsbId = SEEK, serial: str = "7", *, path: str = "") -> Present:
    return Present(
        kind=Kind.USB, key=Key(path=f"/devices/{path or port}", devnum=1, inode=1), usb=usb, serial=serial, port=port
    )


def look(*worlds: list[Present]) -> list[str]:
    told: list[str] = []
    twins = Twins(lambda: {"camera": load_driver("thermal.seek_compact")}, told.append)
    for world in worlds:
        twins.look(world)
    return told


def test_two_alike_are_told_once_with_their_sockets() -> None:
    both = [plugged("1-1"), plugged("1-2")]
    (said,) = look([both[0]], both, both)
    assert "289d:0010 with serial number 7" in said
    assert "1-1, 1-2" in said


def test_different_serial_numbers_are_no_matter() -> None:
    assert look([plugged("1-1", serial="7"), plugged("1-2", serial="8")]) == []


def test_devices_that_no_driver_here_opens_are_nobodys_business() -> None:
    hubs = UsbId(0x1D6B, 0x0002)
    assert look([plugged("1-1", hubs, ""), plugged("2-1", hubs, "")]) == []


def test_nodes_of_one_device_are_one_device() -> None:
    assert look([plugged("1-1"), plugged("1-1", path="1-1:1.0")]) == []
