"""How a device file's simulated device stands on its link, and what its link refuses."""

import asyncio
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.clock import Clock
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.links import simulator
from devicehub.devicefile.load import driver, load
from devicehub.devicefile.schema import FrameTable
from devicehub.driver import BleLink, SerialLink
from devicehub.model.errors import ConfigError
from devicehub.model.reading import Scan
from devicehub.simulator import BleSimulator, StallError, UsbSimulator
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet, usb_write
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


LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LONG = (
    BLE.replace('write = "0b"', 'write = "0b"\npiece = 5', 1)
    .replace("[[request]]", f"""\
[[channel]]
name = "code"
title = "Code"
kind = "scan"
[[message]]
name = "code"
match = {{ kind = 2 }}
fields = [{{ name = "text", type = "text" }}]
scan = [{{ channel = "code", field = "text", symbology = "other" }}]
[[request]]
name = "fetch"
send = "02 '{LETTERS[:9]}'"
replies = ["code"]
[conversation]
start = ["fetch"]
[[request]]""", 1)
    .replace("level = { level = 50 }", f'level = {{ level = 50 }}\ncode = {{ text = "{LETTERS}" }}', 1)
)  # fmt: skip


async def test_what_is_longer_than_a_packet_of_the_radio_goes_over_it_in_pieces_both_ways(tmp_path: Path) -> None:
    """A request of 12 bytes in writes of 5, an answer of 39 in notifications of 20: put together on either side."""
    compiled = load(write(tmp_path, LONG))
    probe, clock = Conversation(compiled, {}), Clock(seed=1)
    port = SimulatedPort(driver(compiled, "trace.probe").link, lambda: simulator(compiled)(Random(1)), clock)
    transport = await port.open()
    asked = probe.start(0.0).write
    assert [(len(packet.data), packet.port) for packet in asked] == [(5, "0b"), (5, "0b"), (2, "0b")]
    for packet in asked:
        await transport.write(packet)
    async with asyncio.timeout(10):
        heard = [await transport.read(), await transport.read()]
    assert [(len(packet.data), packet.port) for packet in heard] == [(20, "0a"), (19, "0a")]
    samples = [sample for packet in heard for sample in probe.on_packet(0.1, packet).samples]
    assert samples == [Scan("code", "other", LETTERS.encode())]
    await transport.close()


def test_a_notification_that_is_a_frame_is_not_cut(tmp_path: Path) -> None:
    text = LONG.replace('kind = "length"\nadjust = 1\nleast = 3', 'kind = "packet"', 1)
    text = text.replace('request_head = "{length:u8}"\n', "").replace('[[check]]\nkind = "sum"\n', "")
    text = text.replace('hex = "03 01 32 36"', 'hex = "03 01 32"')
    device = cast(BleSimulator, simulator(load(write(tmp_path, text)))(Random(1)))
    ((port, data),) = device.on_write("0b", b"\x02abcdefghi")
    assert (port, data[2:]) == ("0a", LETTERS.encode())


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_peripheral_is_written_to_with_or_without_response(tmp_path: Path, *, acknowledged: bool) -> None:
    text = BLE.replace('write = "0b"', f'write = "0b"\nacknowledged = {str(acknowledged).lower()}', 1)
    link = driver(load(write(tmp_path, text)), "trace.probe").link
    assert link == BleLink(notify=("0a",), name="Probe", service="5e", acknowledged=acknowledged)


@pytest.mark.parametrize("parity", ["N", "E", "O"])
def test_a_serial_line_is_opened_as_the_file_says(tmp_path: Path, parity: str) -> None:
    words = f'kind = "serial"\nbaud = 19200\nparity = "{parity}"\nstop = 2\nrtscts = true'
    link = driver(load(write(tmp_path, SMALL.replace('kind = "serial"', words, 1))), "trace.probe").link
    assert link == SerialLink(baud=19200, parity=parity, stop=2, rtscts=True)
    assert driver(load(write(tmp_path, SMALL)), "trace.probe").link == SerialLink()


def test_a_device_that_tests_itself_says_so(tmp_path: Path) -> None:
    """Preflight then goes by what it says, and asks nobody."""
    text = SMALL.replace('source = "test"', 'source = "test"\nself_tests = true', 1)
    assert driver(load(write(tmp_path, text)), "trace.probe").self_tests
    assert not driver(load(write(tmp_path, SMALL)), "trace.probe").self_tests


def test_requests_go_to_the_endpoint_that_the_file_names(tmp_path: Path) -> None:
    asked = Conversation(load(write(tmp_path, USB)), {}).start(0.0).write
    assert usb_write(0x02, ASK) in asked


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


def test_only_the_bits_of_the_mask_say_that_a_report_goes_on() -> None:
    """Other bits of that byte mean other things, and are set in the last report as well."""
    table = FrameTable(
        kind="packet", payload_at=1, payload_size_at=0, more_at=7, more_mask=0x40, report=8, payload_most=6
    )
    framing = Framing(table, ())
    first, last = framing.packets(b"\0abcdefgh")
    assert (first[7], last[7]) == (0x40, 0)
    cutter = framing.framer()
    busy = [bytes([*report[:7], report[7] | 0x81]) for report in (first, last)]
    assert [frame[1:] for report in busy for frame in cutter.feed(report) if isinstance(frame, bytes)] == [b"abcdefgh"]


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
