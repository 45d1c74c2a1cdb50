"""The physical models by the figure that defines each: the inverse square, chance, a hot spot, what is put on a reader."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import cast

import numpy as np
import pytest

from devicehub.clock import Clock
from devicehub.devicefile.links import simulator
from devicehub.devicefile.load import driver, load
from devicehub.devicefile.physics.fields import Scene, Vapour
from devicehub.devicefile.physics.items import Documents, Tags
from devicehub.devicefile.physics.radiation import Radiation
from devicehub.devicefile.simulate import Device
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Image, Layout, Radiometric, Sample, Scan, Spectrum
from devicehub.registry import device_files, load_driver, load_simulator
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from tests.unit.devicefile.files import write

SECONDS = 2000


def counts(model: Radiation, seconds: int = SECONDS) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of as many seconds, one by one."""
    out = []
    for _ in range(seconds):
        assert model.advance(1.0) == ["second"]
        out.append(model.quantities()["counts"])
    return np.array(out)


def near(rate: float, distance: float) -> Radiation:
    """A detector without background, a source before it."""
    model = Radiation(Random(1), {"sensitivity": 100.0, "background": 0.0})
    model.do("source", rate=rate, distance=distance)
    return model


def test_a_source_twice_as_far_away_gives_a_quarter_of_the_counts_and_of_the_dose() -> None:
    close, far = near(1.0, 1.0), near(1.0, 2.0)
    means = float(counts(close).mean()), float(counts(far).mean())
    assert means == pytest.approx((100.0, 25.0), rel=0.02)
    assert means[0] / means[1] == pytest.approx(4.0, rel=0.03)
    assert close.quantities()["dose_rate"] / far.quantities()["dose_rate"] == 4.0
    assert close.quantities()["dose"] == pytest.approx(SECONDS / 3600)


@pytest.mark.parametrize(("quantity", "rate"), [("counts", 25.0), ("neutrons", 4.0)])
def test_counts_are_chance_and_vary_as_much_as_they_are_many(quantity: str, rate: float) -> None:
    """Poisson: of as many seconds the variance is the mean within 4 of its standard errors, sqrt(2 / n) of it."""
    model = Radiation(Random(2), {"sensitivity": 25.0, "background": 1.0, "neutron_background": 4.0})
    told = []
    for _ in range(SECONDS):
        model.advance(1.0)
        told.append(model.quantities()[quantity])
    assert np.mean(told) == pytest.approx(rate, rel=0.05)
    assert np.var(told) / np.mean(told) == pytest.approx(1.0, abs=4 * (2 / SECONDS) ** 0.5)


def test_a_spectrum_has_its_counts_and_its_line_where_they_belong() -> None:
    model = Radiation(Random(3), {"channels": 256, "line": 166, "width": 3, "sensitivity": 500.0, "background": 0.0})
    model.do("source", rate=1.0)
    told = counts(model, 200)
    total = model.quantities()["total"]
    assert total.sum() == told.sum()
    assert abs(int(total[100:].argmax()) + 100 - 166) <= 2
    assert total[160:173].sum() / total.sum() == pytest.approx(0.4, abs=0.03)  # the line's share


def test_a_detector_of_a_file_counts_a_quarter_at_twice_the_distance_over_its_own_line() -> None:
    """Requests, frames, samples: the distance is still there at the end of all of it."""

    def heard(distance: float) -> float:
        file = load(device_files()["radiation.kromek_d3s"])
        device = Device(file, Random(4))
        device.do("source", rate=200.0, distance=distance)
        protocol, out, now = load_driver("radiation.kromek_d3s").open({}), list[int](), 0.0
        step = protocol.start(now)
        for number in range(60):
            device.advance(1.0)
            now += 1.0
            step = protocol.on_timer(now) if number else step
            for packet in step.write:
                for answer in device.receive(packet.data):
                    told = protocol.on_packet(now + 0.01, Packet(answer)).samples
                    out += [int(np.frombuffer(one.data, "<u2").sum()) for one in told if isinstance(one, Spectrum)]
        assert len(out) > 20
        return float(np.mean(out))

    assert heard(1.0) / heard(2.0) == pytest.approx(4.0, rel=0.05)


CAMERA = """\
format = 1
title = "Camera"
source = "test"
[link]
kind = "serial"
[frame]
kind = "length"
width = 2
least = 6
header = [{ name = "size", type = "u16" }]
[[check]]
kind = "sum"
[[channel]]
name = "heat"
title = "Heat"
kind = "image"
unit = "Cel"
[[message]]
name = "frame"
match = { height = { from = 1 } }
fields = [
    { name = "width", type = "u8" },
    { name = "height", type = "u8" },
    { name = "pixels", type = "array", of = "u16", count = "width * height" },
]
[[message.image]]
channel = "heat"
field = "pixels"
width = "width"
height = "height"
gain = 0.01
offset = -273.15
radiometric = "true"
[[vector]]
message = "frame"
hex = "07 00 01 01 85 72 00"
decoded = { width = 1, height = 1, pixels = [29317] }
source = "worked out by hand"
[simulate]
model = "scene"
options = { width = 32, height = 24, background = 20.0, rate = 5.0 }
values.frame = { width = "width", height = "height", pixels = "$kelvin100" }
on.frame = "frame"
"""


async def test_the_frames_of_a_scene_arrive_with_its_hot_spot_where_the_pixels_say(tmp_path: Path) -> None:
    file = load(write(tmp_path, CAMERA))
    camera, clock = driver(file, "trace.probe"), Clock(seed=1)
    port = SimulatedPort(camera.link, lambda: simulator(file)(Random(1)), clock, 0.2)
    transport, protocol = await port.open(), camera.open({})
    protocol.start(0.0)
    samples, faults = list[Sample](), list[ProtocolError]()
    for number in range(10):
        if number == 5:
            port.simulator.do("spot", celsius=36.5)
        async with asyncio.timeout(10):
            step = protocol.on_packet(clock.monotonic(), await transport.read())
        samples += step.samples
        faults += step.faults
    await transport.close()
    assert faults == []
    cold, hot = (celsius(samples[number]) for number in (4, 9))
    assert cold.shape == (24, 32)
    assert float(cold.mean()) == pytest.approx(20.0, abs=0.02)
    assert float(cold.std()) == pytest.approx(0.05, abs=0.01)
    assert float(hot.max()) == pytest.approx(36.5, abs=0.5)
    row, column = np.unravel_index(int(hot.argmax()), hot.shape)
    wanted = 32 * (0.5 + 0.3 * np.sin(clock.monotonic() / 7))
    assert abs(int(row) - 12) <= 1
    assert abs(int(column) - wanted) <= 1.5


def celsius(sample: Sample) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The temperatures of an image."""
    assert isinstance(sample, Image)
    assert (sample.channel, sample.layout, sample.radiometric) == ("heat", Layout.U16LE, Radiometric.TRUE)
    pixels = np.frombuffer(sample.data, "<u2").reshape(sample.height, sample.width)
    return cast(np.ndarray[tuple[int, int], np.dtype[np.float64]], pixels * sample.gain + sample.offset)


def test_a_scene_has_as_many_frames_as_its_rate_however_seldom_it_is_looked_at() -> None:
    scene = Scene(Random(1), {"rate": 9.0})
    events = [len(scene.advance(0.25)) for _ in range(40)]
    assert sum(events) == 90
    assert {2, 3} == set(events)
    assert scene.quantities()["frames"] == 90


def test_vapour_at_the_inlet_is_read_with_the_lag_of_the_sensor() -> None:
    """After one lag 1 - 1/e of it."""
    sensor = Vapour(Random(1), {"lag": 2.0, "noise": 0.0})
    sensor.do("vapour", ppm=100.0)
    sensor.advance(2.0)
    assert sensor.quantities()["ppm"] == pytest.approx(63.2, abs=0.05)
    assert (sensor.quantities()["low"], sensor.quantities()["high"]) == (1, 0)


def test_a_tag_is_there_from_when_it_comes_until_it_leaves() -> None:
    field = Tags(Random(1), {"rssi": 70})
    assert field.advance(1.0) == []
    field.do("insert", epc="e2000000")
    field.do("insert", epc="e2000001")
    assert field.advance(1.0) == ["tag"]
    assert field.quantities()["tags"] == [
        {"epc": bytes.fromhex(epc), "antenna": 1, "rssi": 70} for epc in ("e2000000", "e2000001")
    ]
    field.do("remove", epc="e2000000")
    assert (field.quantities()["present"], field.quantities()["tags"][0]["epc"].hex()) == (1, "e2000001")
    field.do("remove", epc="e2000001")
    assert field.advance(1.0) == []


def test_tags_pass_by_themselves_in_crowds_of_one_to_three_that_are_never_the_same() -> None:
    field = Tags(Random(1), {})
    field.do("demo")
    crowds = []
    for _ in range(120):
        field.advance(5.0)
        crowds.append(tuple(one["epc"] for one in field.quantities()["tags"]))
    assert {len(crowd) for crowd in crowds} == {0, 1, 2, 3}
    came = [after for before, after in pairwise(crowds) if after and after != before]
    assert max(Counter(epc for crowd in came for epc in crowd).values()) == 1


def test_a_document_is_read_once_when_it_is_put_on_and_its_lines_are_those_of_its_size() -> None:
    """ICAO 9303: two lines of 44, three of 30, two of 36; the bottom line is the third, so an empty one is the first."""
    reader = Documents(Random(1), {})
    sizes = []
    for _ in range(3):
        reader.do("insert")
        assert (reader.advance(1.0), reader.advance(1.0)) == (["document"], [])
        told = reader.quantities()
        lines = [told[f"line{number}"] for number in (1, 2, 3)]
        sizes.append([len(line) for line in lines])
        assert (told["present"], told["text"]) == (1, "\r".join(filter(None, lines)))
        reader.do("remove")
        assert (reader.quantities()["present"], reader.quantities()["text"]) == (0, "")
    assert sizes == [[0, 44, 44], [30, 30, 30], [0, 36, 36]]


@pytest.mark.parametrize(
    ("name", "verb", "given", "wanted"),
    [
        ("scanner.sw_ct", "insert", {"epc": "e200206701234567"}, b"\xe2\x00\x20\x67\x01\x23\x45\x67"),
        ("scanner.rte_mrz", "insert", {}, b"L898902C36UTO7408122F1204159ZE184226B<<<<<10"),
    ],
)
async def test_what_is_put_on_a_reader_of_a_file_is_what_its_driver_reads(
    name: str, verb: str, given: dict[str, str], wanted: bytes
) -> None:
    reader, clock = load_driver(name), Clock(seed=1)
    port = SimulatedPort(reader.link, lambda: load_simulator(name)(Random(1)), clock)
    transport, protocol = await port.open(), reader.open({})
    step = protocol.start(clock.monotonic())
    port.simulator.do(verb, **given)
    found = list[bytes]()
    while not found and clock.monotonic() < 10:
        for packet in step.write:
            await transport.write(packet)
        async with asyncio.timeout(10):
            step = protocol.on_packet(clock.monotonic(), await transport.read())
        found = [sample.data for sample in step.samples if isinstance(sample, Scan)]
    await transport.close()
    assert any(wanted in data for data in found)
