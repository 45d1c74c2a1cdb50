"""FLIR One: published temperatures, the shutter, damage, and a file channel that stays untouched."""

import numpy as np
import pytest

from devicehub.model.reading import Cause, Image, Quality, Radiometric, Shutter
from devicehub.model.units import Unit
from devicehub.registry import load_driver
from simulators.thermal.flir_one import FlirOne
from tests.usb_bench import UsbBench

DRIVER = "thermal.flir_one"
PUBLISHED = {2900: 19.16443, 3000: 21.56698, 3500: 32.80822, 4000: 43.01281}


def thermal(bench: UsbBench) -> list[Image]:
    return [image for image in bench.images() if image.channel == "thermal"]


def test_the_panel_has_its_temperature_and_a_visible_picture_beside_it() -> None:
    bench = UsbBench(DRIVER)
    bench.run(3.0)
    assert bench.reasons() == []
    image = thermal(bench)[-1]
    values = np.frombuffer(image.data, "<f4").reshape(image.height, image.width)
    assert float(np.median(values)) == pytest.approx(12.75, abs=0.2)
    assert float(values[-1].mean() - values[0].mean()) == pytest.approx(1.5, abs=0.1), "all lines, in order"
    assert values[:, :80].mean() == pytest.approx(float(values[:, 80:].mean()), abs=0.1)
    assert (image.radiometric, image.quality) == (Radiometric.APPROXIMATE, Quality.UNCERTAIN)
    visible = [one for one in bench.images() if one.channel == "visible"]
    assert len(visible) == len(thermal(bench))
    assert (visible[0].width, visible[0].height) == (640, 480)


def test_a_smaller_sensor_is_told_by_its_packets() -> None:
    bench = UsbBench(DRIVER, fault="small")
    bench.run(2.0)
    assert {(image.width, image.height) for image in thermal(bench)} == {(80, 60)}


def test_own_constants_make_a_picture_good_and_still_approximate() -> None:
    bench = UsbBench(DRIVER, {"planck-r1": 16600.0})
    bench.run(2.0)
    image = thermal(bench)[-1]
    assert (image.radiometric, image.quality) == (Radiometric.APPROXIMATE, Quality.GOOD)


def test_a_pro_lt_gives_counts() -> None:
    bench = UsbBench(DRIVER, {"degrees": False})
    bench.run(2.0)
    assert thermal(bench)[-1].radiometric is Radiometric.NONE
    assert load_driver(DRIVER).configured({"degrees": False}).channel("thermal").unit is Unit.COUNT


def test_bare_metal_is_not_believed() -> None:
    bench = UsbBench(DRIVER, {"emissivity": 0.2})
    bench.run(2.0)
    assert thermal(bench)[-1].cause is Cause.LOW_EMISSIVITY


def test_the_shutter_blanks_its_frames_and_the_first_after() -> None:
    bench = UsbBench(DRIVER)
    bench.run(1.0)
    bench.forget()
    bench.simulator.do("shutter")
    bench.run(3.0)
    seen = [image.shutter for image in thermal(bench)]
    closed = seen.count(Shutter.CLOSED)
    assert closed >= 2
    assert seen[seen.index(Shutter.CLOSED) :][: closed + 1] == [Shutter.CLOSED] * closed + [Shutter.SETTLING]


@pytest.mark.parametrize("kind", ["short", "garbage", "sizes", "bad-jpeg"])
def test_damage_costs_a_frame_or_two_and_is_told(kind: str) -> None:
    bench = UsbBench(DRIVER)
    bench.run(1.0)
    bench.simulator.do("fault", kind=kind)
    bench.run(1.0)
    assert bench.reasons()
    bench.forget()
    bench.run(3.0)
    assert bench.reasons() == []
    assert len(thermal(bench)) >= 12


@pytest.mark.parametrize("kind", ["mute", "stall"])
def test_a_camera_that_sends_nothing_is_started_again(kind: str) -> None:
    bench = UsbBench(DRIVER, fault=kind)
    bench.run(5.0)
    assert "timeout" in bench.reasons()
    bench.forget()
    bench.run(2.0)
    assert len(thermal(bench)) >= 8


def test_transfers_of_any_size_give_the_same_pictures() -> None:
    whole, pieces = UsbBench(DRIVER), UsbBench(DRIVER, fault="pieces")
    for bench in (whole, pieces):
        bench.run(4.0)
    count = min(len(thermal(whole)), len(thermal(pieces)))
    assert count >= 10
    assert [image.data for image in thermal(whole)][:count] == [image.data for image in thermal(pieces)][:count]


def test_nothing_but_the_start_is_ever_written() -> None:
    """The file channel sets options and writes files of the camera, its calibration among them."""
    bench = UsbBench(DRIVER)
    for kind in ("stall", "mute", "garbage", "short"):
        bench.simulator.do("fault", kind=kind)
        bench.run(5.0)
    assert isinstance(bench.simulator, FlirOne)
    assert bench.simulator.files.asked == []
    written = {(packet.port, packet.data) for packet in bench.sent if not packet.port.startswith("in:")}
    assert written == {
        ("ctl:01:0b:0000:0002", b""),
        ("ctl:01:0b:0000:0001", b""),
        ("ctl:01:0b:0001:0001", b""),
        ("ctl:01:0b:0001:0002", b"\0\0"),
    }
