"""How a device file's simulated device stands on its link, and what its link refuses."""

from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.devicefile.links import simulator
from devicehub.devicefile.load import driver, load
from devicehub.model.errors import ConfigError
from devicehub.simulator import BleSimulator, StallError, UsbSimulator
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import SMALL, write

BLE = SMALL.replace(
    'kind = "serial"', 'kind = "ble"\nname = "Probe"\nservice = "5e"\nnotify = ["0a"]\nwrite = "0b"', 1
).replace("[[vector]]", "[simulate.values]\nlevel = { level = 50 }\n[[vector]]", 1)
USB = SMALL.replace('kind = "serial"', 'kind = "usb"\nusb = ["1209:0001"]\nendpoint_out = 0x02', 1).replace(
    "[[vector]]", "[simulate.values]\nlevel = { level = 50 }\n[[vector]]", 1
)
ASK, ANSWER = bytes.fromhex("020103"), bytes.fromhex("03013236")


def test_a_peripheral_answers_by_notification_what_is_written_to_it(tmp_path: Path) -> None:
    device = cast(BleSimulator, simulator(load(write(tmp_path, BLE)))(Random(1)))
    assert device.name.startswith("Probe")
    assert device.services == {"5e": (("0a", ("notify",)), ("0b", ("write", "write-without-response")))}
    assert device.on_write("0b", ASK) == [("0a", ANSWER)]
    assert device.on_write("0a", ASK) == []


def test_a_usb_device_answers_at_its_endpoints_and_stalls_everywhere_else(tmp_path: Path) -> None:
    device = cast(UsbSimulator, simulator(load(write(tmp_path, USB)))(Random(1)))
    assert device.transfer_in(0x81, 64) is None
    device.transfer_out(0x02, ASK)
    assert (device.transfer_in(0x81, 2), device.transfer_in(0x81, 64)) == (ANSWER[:2], ANSWER[2:])
    with pytest.raises(StallError):
        device.transfer_out(0x03, ASK)
    with pytest.raises(StallError):
        device.control_in(0x80, 6, 0x0100, 0, 18)
    with pytest.raises(StallError):
        device.control_out(0x21, 0x0A, 0, 0, b"")


def test_reports_make_it_a_hid_device_which_lets_itself_be_told_to_be_idle(tmp_path: Path) -> None:
    text = USB.replace('kind = "length"\nadjust = 1\nleast = 3', 'kind = "packet"\nreport = 8\nleast = 3', 1)
    text = text.replace('request_head = "{length:u8}"\n', "").replace('[[check]]\nkind = "sum"\n', "")
    text = text.replace('hex = "03 01 32 36"', 'hex = "03 01 32"')
    device = cast(UsbSimulator, simulator(load(write(tmp_path, text)))(Random(1)))
    assert device.descriptor.interfaces[0].triple == (3, 0, 0)
    device.control_out(0x21, 0x0A, 0, 0, b"")


def test_an_endpoint_is_an_option_only_where_there_is_such_an_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such option"):
        load(write(tmp_path, USB.replace("endpoint_out", 'endpoint_option = "endpoint"\nendpoint_out', 1)))


def test_a_dangerous_command_is_told_by_its_end_whatever_stands_before_it_and_its_check(tmp_path: Path) -> None:
    never = '[[forbidden]]\ntitle = "store"\nsend = "{any:u8} 4d"\nend = "\'.\'"\n[[vector]]'
    (rule,) = driver(load(write(tmp_path, SMALL.replace("[[vector]]", never, 1))), "trace.probe").forbidden
    assert [rule.names(Packet(bytes.fromhex(text))) for text in ("0701 4d 41 42 2e fd", "0701 4d 41 42 21 f0")] == [
        True,
        False,
    ]
