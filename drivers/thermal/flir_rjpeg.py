"""FLIR handheld thermal cameras by their radiometric JPEG files, dropped into a watch folder.

Each file holds the sensor's counts and the camera's calibration; see `_fff` for the byte layout. The
counts become temperatures with the Planck chain (`devicehub.wire.radiometry`) and the object
parameters that were set on the camera when the picture was taken. Nothing of the visible picture
is decoded. `.fff` files, the same content without the JPEG around it, are read too. The FLIR Public
Format (`.fpf`) is refused: its one public sample has lost its pixels, so that no reader could be proved.

A file is read whole or refused whole, with its name in the fault. The format has no integrity check
of its own except for PNG counts; what is refused is what does not fit together.

Quality: an emissivity below 0.3 makes the image uncertain (the correction explodes on bare metal), so
does a pixel outside the range the camera was set to. Pixels without a solution are NaN. A camera that
left no picture for ten minutes says nothing about what is before it now.

Source: see `_fff` and `devicehub.wire.radiometry`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from devicehub.driver import Driver, FileLink, Options
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, Identity, Image, Layout, Measurement, Quality, Radiometric, Sample
from devicehub.model.units import Unit
from devicehub.wire.folder import FolderProtocol
from devicehub.wire.protocol import DeviceProtocol
from devicehub.wire.radiometry import LOWEST_EMISSIVITY, celsius_table
from drivers.thermal._fff import CAMERA, COUNTS, CameraInfo, camera_info, counts, fff_of, records

Frame = NDArray[np.float32]
_LINK = FileLink(patterns=("*.jpg", "*.jpeg", "*.fff"))


def read_photograph(data: bytes) -> tuple[CameraInfo, Frame]:
    """A whole file to its camera and its temperatures in Cel, shape (height, width). Raises `ProtocolError`."""
    found = records(fff_of(data))
    if CAMERA not in found or COUNTS not in found:
        raise ProtocolError(Reason.UNSUPPORTED, "without calibration or without counts")
    info = camera_info(found[CAMERA])
    return info, celsius_table(info.planck, info.around)[counts(found[COUNTS])]


def read(name: str, data: bytes) -> Iterator[Sample]:
    """A whole file to who the camera is, how it was set and what it saw. Raises `ProtocolError`."""
    del name
    info, frame = read_photograph(data)
    yield _who(info)
    yield from _settings(info)
    yield _image(info, frame, data)


def _who(info: CameraInfo) -> Identity:
    known = (
        ("model", info.model),
        ("serial", info.serial),
        ("part", info.part),
        ("software", info.software),
        ("lens", info.lens),
    )
    return Identity(tuple((name, text) for name, text in known if text))


def _settings(info: CameraInfo) -> tuple[Sample, ...]:
    """What the temperatures rest on, as set on the camera; rounded, since 0.95 is not exact as f32."""
    around = info.around
    values = (
        ("emissivity", around.emissivity),
        ("distance", around.distance),
        ("reflected", around.reflected),
        ("air", around.air),
        ("humidity", around.humidity * 100),
    )
    return tuple(Measurement(name, round(value, 3), device_time=info.taken_at) for name, value in values)


def _image(info: CameraInfo, frame: Frame, original: bytes) -> Image:
    height, width = frame.shape
    quality, cause = judge(info, frame)
    return Image(
        "image",
        frame.astype("<f4").tobytes(),
        Layout.F32LE,
        width,
        height,
        radiometric=Radiometric.TRUE,
        emissivity=round(info.around.emissivity, 3),
        quality=quality,
        cause=cause,
        original=original,
        device_time=info.taken_at,
    )


def judge(info: CameraInfo, frame: Frame) -> tuple[Quality, Cause]:
    """How far the temperatures of a picture can be trusted."""
    unsolved = np.isnan(frame)
    if unsolved.all():
        return Quality.BAD, Cause.NOT_A_NUMBER
    if info.around.emissivity < LOWEST_EMISSIVITY:
        return Quality.UNCERTAIN, Cause.LOW_EMISSIVITY
    # A range that is not one (old firmware leaves it empty) says nothing about the pixels.
    outside = (frame > info.hottest) | (frame < info.coldest) if info.hottest > info.coldest else False
    if unsolved.any() or np.any(outside):
        return Quality.UNCERTAIN, Cause.SATURATED
    return Quality.GOOD, Cause.NONE


def protocol(options: Options) -> DeviceProtocol:
    """A fresh reader of files."""
    del options
    return FolderProtocol(read, _LINK.limit)


DRIVER = Driver(
    title="FLIR thermal camera, radiometric JPEG files",
    category=Category.THERMAL,
    link=_LINK,
    channels=(
        Channel(name="image", title="Thermal image", unit=Unit.CELSIUS, kind=ChannelKind.IMAGE, low=-273.15, high=5000),
        Channel(name="emissivity", title="Emissivity set", low=0, high=1, resolution=0.01),
        Channel(name="distance", title="Distance set", unit=Unit.METRE, low=0),
        Channel(name="reflected", title="Reflected temperature set", unit=Unit.CELSIUS, low=-273.15),
        Channel(name="air", title="Air temperature set", unit=Unit.CELSIUS, low=-273.15),
        Channel(name="humidity", title="Relative humidity set", unit=Unit.PERCENT, low=0, high=150),
    ),
    capabilities=("thermal",),
    integrity="none",
    protocol=protocol,
    stale_after=600.0,
)
