"""Images: their summary, their statistics as channels, and what is kept as evidence."""

import hashlib
from math import nan

from devicehub.alarm.frames import statistics
from devicehub.alarm.thermal.judge import Spot
from devicehub.alarm.thermal.watch import Looked
from devicehub.core.measure import finite
from devicehub.model.device import Channel
from devicehub.model.payload import CaptureData, FrameData, RegionData, SpotData
from devicehub.model.reading import Image, Layout, Measurement, Quality, Shutter

STATISTICS = ("min", "mean", "max", "p05", "p95")
_JPEG = b"\xff\xd8\xff"


def digest(data: bytes) -> str:
    """SHA-256 in the form used on the wire."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def frame_data(
    image: Image, channel: Channel, count: int, shutter_age: float | None, looked: Looked | None = None
) -> FrameData:
    """The payload of one image; `count` numbers the frames of a device that does not do so itself."""
    found = statistics(image)
    looked = looked or Looked()
    number = image.counter if image.counter is not None else count
    return FrameData(
        n=number,
        width=image.width,
        height=image.height,
        unit=channel.unit,
        radiometric=image.radiometric,
        shutter=image.shutter,
        quality=image.quality,
        digest=digest(image.data),
        cause=image.cause,
        min=None if found is None else found.min,
        mean=None if found is None else found.mean,
        max=None if found is None else found.max,
        p05=None if found is None else found.p05,
        p95=None if found is None else found.p95,
        hot=None if found is None else SpotData(found.hot_x, found.hot_y, found.max),
        emissivity=finite(image.emissivity),
        shutter_age_s=None if shutter_age is None else round(shutter_age, 1),
        bytes=len(image.data) if image.layout.encoded else None,
        device_time=finite(image.device_time),
        regions=tuple(_region(rule, spot) for rule, spot in looked.spots),
        unjudged=dict(looked.unjudged),
        run=image.run,
    )


def _region(rule: str, spot: Spot) -> RegionData:
    delta = finite(spot.delta)
    delta = None if delta is None else round(delta, 4)
    return RegionData(rule, spot.bbox, spot.area, spot.max, delta, round(spot.x, 2), round(spot.y, 2))


def statistic_measurements(image: Image, frame: FrameData) -> list[Measurement]:
    """The image's statistics as measurements of `<channel>.max` and so on, for limits. None while the shutter is shut.

    An image without statistics gives values that are no numbers: quality BAD, which clears nothing.
    """
    if image.shutter is Shutter.CLOSED or image.layout.encoded:
        return []
    values = (frame.min, frame.mean, frame.max, frame.p05, frame.p95)
    quality = image.quality if frame.max is not None else Quality.BAD
    return [
        Measurement(f"{image.channel}.{name}", nan if value is None else value, quality, image.cause)
        for name, value in zip(STATISTICS, values, strict=True)
    ]


def capture_data(image: Image, trigger: str, alarm: str = "") -> CaptureData:
    """The payload of an image that is stored as evidence, as the device sent it. `alarm`: on which it was raised."""
    data = evidence(image)
    name = digest(data)
    return CaptureData(
        digest=name,
        size=len(data),
        media_type=_media_type(image, data),
        dataref=evidence_name(name),
        trigger=trigger,
        width=image.width,
        height=image.height,
        run=image.run,
        alarm=alarm,
    )


def _media_type(image: Image, data: bytes) -> str:
    if image.layout is Layout.H264:
        return "video/h264"
    if data.startswith(_JPEG) or image.layout.encoded:
        return "image/png" if image.layout is Layout.PNG else "image/jpeg"
    return "application/octet-stream" if image.original else f"application/x-devicehub-raw;layout={image.layout}"


def evidence(image: Image) -> bytes:
    """The bytes of an image that are kept: those that the device sent."""
    return image.original or image.data


def evidence_name(name: str) -> str:
    """Where an image with that digest lies below the evidence folder: two levels, content-addressed."""
    hexadecimal = name.removeprefix("sha256:")
    return f"{hexadecimal[:2]}/{hexadecimal}"
