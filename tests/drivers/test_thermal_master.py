"""Thermal Master P1 and P3: the start, frames by their markers, the shutter, and what is never sent."""

import numpy as np
import pytest

from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Cause, Shutter
from drivers.thermal._thermal_master_frames import Frame, FrameParser
from drivers.thermal._thermal_master_orders import COMMANDS
from simulators.thermal._thermal_master import ThermalMaster
from tests.usb_bench import UsbBench

P1 = "thermal.thermal_master_p1"
SIZES = {P1: (160, 120), "thermal.thermal_master_p3": (256, 192)}
# What nobody may send: the gain for good, and by the sister model's facts its boot ROM and its flash.
FORBIDDEN = ("012f41", "0508", "0182")


@pytest.mark.parametrize("driver", SIZES)
def test_it_says_who_it_is_and_shows_the_panel_in_degrees(driver: str) -> None:
    bench = UsbBench(driver, {"warm-up": 0.0})
    bench.run(6.0)
    assert bench.reasons() == []
    assert bench.facts()["firmware"] == "00.00.02.17"
    assert bench.facts()["name"] == driver[-2:].upper()
    image = bench.images()[-1]
    assert (image.width, image.height) == SIZES[driver]
    raw = np.frombuffer(image.data, "<u2").reshape(image.height, image.width)
    assert float(np.median(raw)) * image.gain + image.offset == pytest.approx(12.75, abs=0.2)
    assert float(raw[-1].mean() - raw[0].mean()) * image.gain == pytest.approx(1.5, abs=0.1), "all rows, in order"


def test_a_shutter_by_command_costs_one_frame_and_the_next_settles() -> None:
    bench = UsbBench(P1, {"warm-up": 0.0})
    bench.run(5.0)
    bench.forget()
    bench.command("shutter")
    bench.run(3.0)
    assert [ended.state for ended in bench.ended] == [CommandState.DONE]
    assert isinstance(bench.simulator, ThermalMaster)
    assert bench.simulator.shutters == 1
    shutters = [image.shutter for image in bench.images()]
    assert shutters[0] is Shutter.SETTLING
    assert set(bench.reasons()) == {"corrupt"}
    assert bench.images()[-1].cause is Cause.NONE


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("no-end", {"corrupt"}),
        ("other-end", {"corrupt"}),
        ("garbage", {"garbage"}),
        ("lost", {"sequence"}),
        ("mute", {"timeout"}),
    ],
)
def test_a_damaged_stream_is_told_and_goes_on(kind: str, reasons: set[str]) -> None:
    bench = UsbBench(P1)
    bench.run(5.0)
    bench.forget()
    bench.simulator.do("fault", kind=kind)
    bench.run(9.0)
    assert set(bench.reasons()) == reasons
    bench.forget()
    bench.run(2.0)
    assert bench.reasons() == []
    assert len(bench.images()) >= 8


@pytest.mark.parametrize(("kind", "reason"), [("no-answer", "length"), ("stall", "rejected")])
def test_a_start_that_fails_is_tried_again(kind: str, reason: str) -> None:
    bench = UsbBench(P1, fault=kind)
    bench.run(6.0)
    assert reason in bench.reasons()
    assert bench.images()


def test_a_camera_that_never_starts_is_asked_ever_more_rarely() -> None:
    bench = UsbBench(P1)
    bench.run(5.0)
    for _ in range(6):
        bench.simulator.do("fault", kind="mute")
        bench.run(0.1)
    sent = len(bench.sent)
    bench.run(20.0)
    assert len(bench.sent) - sent < 400


def test_a_second_command_waits_for_nobody() -> None:
    bench = UsbBench(P1)
    bench.command("shutter")
    bench.command("shutter")
    assert [ended.state for ended in bench.ended] == [CommandState.REJECTED]
    bench.run(6.0)
    assert [ended.state for ended in bench.ended] == [CommandState.REJECTED, CommandState.DONE]


def test_nothing_but_the_listed_commands_is_ever_sent() -> None:
    bench = UsbBench(P1)
    bench.command("shutter")
    for kind in ("no-answer", "stall", "mute", "garbage"):
        bench.simulator.do("fault", kind=kind)
        bench.run(12.0)
    allowed = {command for command, _ in COMMANDS.values()}
    orders = [packet for packet in bench.sent if packet.port.startswith(("ctl:41", "ctl:40", "ctl:01", "out:"))]
    assert {packet.data for packet in orders if packet.port == "ctl:41:20:0000:0000"} <= allowed
    assert {packet.port for packet in orders} == {"ctl:41:20:0000:0000", "ctl:40:ee:0000:0001", "ctl:01:0b:0001:0001"}
    assert not [command for command in allowed if command.hex().startswith(FORBIDDEN)]


def parsed(*transfers: bytes) -> list[Frame | ProtocolError]:
    parser = FrameParser(160, 120)
    return [part for transfer in transfers for part in parser.feed(transfer)]


def stream() -> list[bytes]:
    """The transfers of ten simulated frames."""
    bench = UsbBench(P1)
    bench.run(6.0)
    transfers = [packet.data for packet in bench.received if packet.port == "in:81"]
    return transfers[2:22]


def test_transfers_that_are_cut_anywhere_give_the_same_frames() -> None:
    whole = stream()
    expected = [part for part in parsed(*whole) if isinstance(part, Frame)]
    assert len(expected) >= 9
    for size in (16384, 512, 77000):
        pieces = [one[at : at + size] for one in whole for at in range(0, len(one), size)]
        assert [part for part in parsed(*pieces) if isinstance(part, Frame)] == expected


def test_the_memory_of_the_parser_is_bounded() -> None:
    parser = FrameParser(160, 120)
    start = stream()[0][:12] if stream()[0][1] in {0x8C, 0x8D} else stream()[1][:12]
    for _ in range(200):
        list(parser.feed(start + bytes(70_000)))
    assert len(parser._buffer) < 3 * 78_000
