"""Real input through the shipped drivers and a whole hub to a subscriber of a real Mosquitto."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.driver import UsbLink
from devicehub.model.message import Kind
from devicehub.registry import load_driver
from devicehub.transport.usb import UsbTransport
from devicehub.transport.usb_bus import UsbBus
from simulators.thermal.flir_rjpeg import FlirHandheld
from simulators.thermal.seek_compact import SeekCompact
from tests.real.hearing import Ears, Heard, hearing
from tests.real.hub_process import HubProcess, started
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import retained, settings
from tests.real.whole_hub import running_hub
from tests.samples import sample

pytestmark = pytest.mark.real

ALARM = "camera/image-max-high"
CHUNK = 64 * 1024


# Seek Compact: bulk transfers on a simulated bus


@asynccontextmanager
async def seek(folder: Path, camera: SeekCompact) -> AsyncIterator[Ears]:
    """What is published of a camera on the simulated USB bus, below unmodified pyusb."""
    bus, clock, driver = UsbBus(), Clock(), load_driver("thermal.seek_compact")
    link = driver.link
    assert isinstance(link, UsbLink)
    bus.plug(camera)
    ticking = asyncio.create_task(bus.run(clock))
    post = Post("camera", lambda: UsbTransport.open(link, backend=bus.backend, clock=clock), partial(driver.open, {}))
    try:
        async with mosquitto(folder) as broker, hearing(settings(broker)) as ears:
            async with running_hub(folder / "state", settings(broker), {"camera": driver}, [post]):
                yield ears
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


def words(data: bytes) -> NDArray[np.int32]:
    """The picture of a recorded frame: 154 rows of 207."""
    return np.frombuffer(data, "<u2").reshape(156, 208)[1:155, :207].astype(np.int32)


def published(frame: Heard) -> tuple[float, float, float]:
    return frame.data["min"], frame.data["max"], frame.data["mean"]


async def test_frames_of_a_real_seek_compact_are_published_with_exactly_their_figures(tmp_path: Path) -> None:
    shutter, face = sample("imaging", "seek_compact_face_cal.bin"), sample("imaging", "seek_compact_face_raw.bin")
    raw, cal = words(face), words(shutter)
    corrected = np.clip(raw + 0x4000 - cal, 0, 65535).astype("<u2")
    valid = (raw > 2000) & (raw < 16383) & (cal > 2000) & (cal < 16383)
    figures = corrected[valid]
    # What PROVENANCE states of these files; the published digest then says that the hub had the very same image.
    assert (figures.size, figures.min(), figures.max(), round(figures.mean(), 3)) == (29754, 15538, 16442, 16003.741)
    async with seek(tmp_path, SeekCompact(Random(1), frames=[shutter, face])) as ears:
        frame = await ears.first(Kind.FRAME, "camera")
    assert frame.data["digest"] == "sha256:" + hashlib.sha256(corrected.tobytes()).hexdigest()
    assert published(frame)[:2] == (corrected.min(), corrected.max())
    assert published(frame)[2] == pytest.approx(corrected.mean(), abs=1e-9)
    y, x = np.unravel_index(corrected.argmax(), corrected.shape)
    assert frame.data["hot"] == {"x": x, "y": y, "value": corrected.max()}
    assert (frame.data["n"], frame.data["width"], frame.data["height"]) == (12188, 207, 154)
    assert (frame.data["unit"], frame.data["radiometric"], frame.data["cause"]) == ("{count}", "none", "uncalibrated")
    facts = ears.of(Kind.DESCRIBE, "camera")[-1].data
    assert (facts["usb"], facts["facts"]["factory-id"]) == ("289d:0010", "140c10E42N71")
    assert ears.of(Kind.READING, "camera/sensor-temperature")[0].data["value"] in {4266, 4268}


async def test_a_simulated_seek_compact_shows_its_warm_spot_to_the_subscriber(tmp_path: Path) -> None:
    camera = SeekCompact(Random(2))
    camera.do("hotspot", delta=400)
    async with seek(tmp_path, camera) as ears:
        await ears.until(lambda: len(ears.of(Kind.FRAME, "camera")) > 2)
    frame = ears.of(Kind.FRAME, "camera")[-1].data
    assert frame["max"] - frame["mean"] == pytest.approx(400, abs=60)
    assert (frame["hot"]["y"] / 154, frame["hot"]["x"] / 207) == pytest.approx((0.4, 0.6), abs=0.06)
    assert frame["quality"] == "uncertain"


# FLIR radiometric JPEG: files copied into a watch folder of `devicehub run`


@dataclass
class Folder:
    """A running hub with one camera that leaves pictures, and its subscriber."""

    path: Path
    state: Path
    ears: Ears
    broker: Mosquitto
    hub: HubProcess

    def captures(self) -> list[Heard]:
        """Those of the files; the one of an alarm that such a picture raised has the same image."""
        return [one for one in self.ears.of(Kind.CAPTURE) if one.data["trigger"] == "file"]

    async def copy(self, name: str, data: bytes) -> tuple[Heard, Heard]:
        """Copy a picture slowly, as a memory card does; its frame and its capture."""
        frames, captures = len(self.ears.of(Kind.FRAME)), len(self.captures())
        with (self.path / name).open("wb") as file:
            for at in range(0, len(data), CHUNK):
                file.write(data[at : at + CHUNK])
                file.flush()
                await Clock().sleep(0.05)
        assert len(self.ears.of(Kind.FRAME)) == frames, "a file was taken before it was complete"
        await self.ears.until(lambda: len(self.captures()) > captures)
        await self.ears.until(lambda: len(self.ears.of(Kind.FRAME)) > frames)
        return self.ears.of(Kind.FRAME)[-1], self.captures()[-1]

    async def standing(self) -> list[Heard]:
        """The retained alarms a late subscriber finds."""
        late: list[Heard] = []
        for message in await retained(self.broker, "devicehub/v1/s/n/alarm/#"):
            assert message.payload
            late += [one for one in self.ears.of(Kind.ALARM, ALARM) if one.topic == message.topic]
        return late


@asynccontextmanager
async def watch_folder(folder: Path, high: float) -> AsyncIterator[Folder]:
    pictures = folder / "pictures"
    pictures.mkdir()
    async with mosquitto(folder) as broker:
        (folder / "devicehub.toml").write_text(
            '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n'
            f'[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
            '[[device]]\nid = "camera"\ndriver = "thermal.flir_rjpeg"\nfolder = "pictures"\n'
            f'[[limit]]\ndevice = "camera"\nchannel = "image.max"\nhigh = {high}\nhysteresis = 1.0\n'
        )
        async with hearing(settings(broker)) as ears, started("run", cwd=folder) as hub:
            await ears.until(lambda: [one for one in ears.of(Kind.DEVICE) if one.data["state"] == "ready"])
            yield Folder(pictures, folder / "state", ears, broker, hub)


def photograph(**hotspot: float) -> tuple[bytes, NDArray[np.float64]]:
    """A simulated picture and the true temperatures in it."""
    camera = FlirHandheld(Random(7))
    if hotspot:
        camera.do("hotspot", **hotspot)
    camera.do("snapshot", format="png")
    ((_, data),) = camera.advance(1.0)
    return data, camera.scene()


def assert_kept(state: Path, capture: Heard, original: bytes) -> None:
    """The evidence folder has the file as it was, under the name that was published."""
    digest = hashlib.sha256(original).hexdigest()
    assert capture.data["digest"] == f"sha256:{digest}"
    assert (capture.data["size"], capture.data["media_type"]) == (len(original), "image/jpeg")
    assert capture.data["dataref"] == f"{digest[:2]}/{digest}"
    assert (state / "evidence" / capture.data["dataref"]).read_bytes() == original


async def raised(folder: Folder, frame: Heard) -> Heard:
    """The alarm of a picture that is too warm, as event and as retained state."""
    event = await folder.ears.first(Kind.EVENT, "alarm-raised")
    state = await folder.ears.first(Kind.ALARM, ALARM)
    assert event.data == state.data
    assert (event.data["state"], event.data["condition"], event.data["unit"]) == ("unack-active", "high", "Cel")
    assert (event.data["value"], event.body["causationid"]) == (frame.data["max"], frame.body["id"])
    assert event.body["subject"] == ALARM
    assert await folder.standing() == [state]
    return event


async def returned(folder: Folder, event: Heard) -> None:
    """The condition ends: an event; the alarm stays retained, since nobody has closed the detection."""
    end = await folder.ears.first(Kind.EVENT, "alarm-returned")
    assert (end.data["alarm"], end.data["state"], end.data["revision"]) == (event.data["alarm"], "latched", 2)
    await folder.ears.until(lambda: folder.ears.of(Kind.ALARM, ALARM)[-1].data == end.data)
    assert [one.data for one in await folder.standing()][-1:] == [end.data]


async def test_a_real_picture_of_an_sc660_raises_an_alarm_and_is_kept_byte_for_byte(tmp_path: Path) -> None:
    original = sample("imaging", "thermimage_FLIR_SC660_rjpeg.jpg")
    async with watch_folder(tmp_path, high=35.0) as folder:
        frame, capture = await folder.copy("IR_2412.jpg", original)
        assert published(frame) == pytest.approx((22.736, 35.250, 28.259), abs=1e-3)
        assert (frame.data["unit"], frame.data["radiometric"], frame.data["quality"]) == ("Cel", "true", "good")
        assert (capture.data["width"], capture.data["height"]) == (640, 480)
        assert_kept(folder.state, capture, original)
        event = await raised(folder, frame)
        await folder.copy("IR_2413.jpg", photograph()[0])
        await returned(folder, event)


async def test_simulated_pictures_make_the_same_way(tmp_path: Path) -> None:
    warm, scene = photograph(x=40.0, y=60.0, dk=15.0)
    async with watch_folder(tmp_path, high=30.0) as folder:
        frame, capture = await folder.copy("FLIR0001.jpg", warm)
        assert published(frame) == pytest.approx((scene.min(), scene.max(), scene.mean()), abs=0.3)
        assert (frame.data["hot"]["x"], frame.data["hot"]["y"]) == pytest.approx((40, 60), abs=2)
        assert_kept(folder.state, capture, warm)
        event = await raised(folder, frame)
        mild, scene = photograph()
        assert scene.max() < 29.0
        frame, capture = await folder.copy("FLIR0002.jpg", mild)
        assert_kept(folder.state, capture, mild)
        await returned(folder, event)
        (original,) = folder.path.rglob("FLIR0001.jpg")
        assert original.read_bytes() == warm
