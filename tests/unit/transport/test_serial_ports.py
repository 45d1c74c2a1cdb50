"""Which serial ports are listed, and under which name."""

import os
from pathlib import Path

from serial.tools.list_ports_common import ListPortInfo

from devicehub.model.device import UsbId
from devicehub.transport.serial_ports import SerialPort, select_ports, serial_identity


def found(device: str, **facts: object) -> ListPortInfo:
    info = ListPortInfo(device)
    for name, value in facts.items():
        setattr(info, name, value)
    return info


def test_a_usb_port_is_listed_with_its_ids_and_its_stable_name(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM3"
    device.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Acme_Wand_0001-if00").symlink_to(device)
    info = found(str(device), vid=0x1209, pid=0x0001, serial_number="0001", product="Wand")
    assert select_ports([info], by_id, tmp_path) == [
        SerialPort(
            path=str(by_id / "usb-Acme_Wand_0001-if00"),
            device=str(device),
            usb=UsbId(0x1209, 1),
            serial="0001",
            product="Wand",
        )
    ]


def test_a_port_without_usb_facts_is_listed_under_the_kernels_name(tmp_path: Path) -> None:
    assert select_ports([found("/dev/ttyAMA0")], tmp_path / "none", tmp_path) == [
        SerialPort(path="/dev/ttyAMA0", device="/dev/ttyAMA0")
    ]


def test_uarts_that_the_kernel_only_imagines_are_left_out(tmp_path: Path) -> None:
    for name, kind in (("ttyS0", "4\n"), ("ttyS1", "0\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(kind)
    ports = select_ports([found("/dev/ttyS1"), found("/dev/ttyS0")], tmp_path / "none", tmp_path)
    assert [port.device for port in ports] == ["/dev/ttyS0"]


def test_the_identity_of_a_url_is_its_address() -> None:
    identity = serial_identity("rfc2217://192.0.2.7:4000")
    assert (identity.address, identity.path, identity.usb) == ("192.0.2.7:4000", "rfc2217://192.0.2.7:4000", "")


def test_the_identity_of_a_port_without_facts_is_its_path() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    identity = serial_identity(path)
    os.close(master)
    os.close(slave)
    assert (identity.path, identity.usb, identity.serial) == (path, "", "")
