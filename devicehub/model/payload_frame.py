"""The `data` of images: their summary, and what was kept of them. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.payload_texts import Digest, Segment
from devicehub.model.reading import Cause, Quality, Radiometric, Shutter
from devicehub.model.thermal import Unjudged
from devicehub.model.units import Unit


class SpotData(Struct, frozen=True, omit_defaults=True):
    """A pixel and its value."""

    x: int
    y: int
    value: float


class RegionData(Struct, frozen=True, omit_defaults=True):
    """A spot of an image that a thermal rule is about: `id` is the rule's alarm point."""

    id: Segment
    bbox: Annotated[tuple[int, int, int, int], Meta(description="Left, top, width and height in pixels")]
    area_px: int
    max: Annotated[float, Meta(description="Its hottest pixel")]
    delta: Annotated[
        float | None,
        Meta(description="Its farthest pixel from the reference or the background; null: the rule has none"),
    ] = None
    x: Annotated[float, Meta(description="Centroid, from the left edge of the image")] = 0.0
    y: float = 0.0


class FrameData(Struct, frozen=True, omit_defaults=True):
    """Summary of one image. Pixels stay on the workstation; `digest` names them."""

    n: int
    width: int
    height: int
    unit: Unit
    radiometric: Radiometric
    shutter: Shutter
    quality: Quality
    digest: Digest
    cause: Cause = Cause.NONE
    min: float | None = None
    mean: float | None = None
    max: float | None = None
    p05: float | None = None
    p95: float | None = None
    hot: SpotData | None = None
    emissivity: float | None = None
    shutter_age_s: float | None = None
    bytes: int | None = None
    device_time: float | None = None
    regions: Annotated[tuple[RegionData, ...], Meta(description="Spots beyond the limit of a thermal rule")] = ()
    unjudged: Annotated[
        dict[Segment, Unjudged], Meta(description="Thermal rules this frame says nothing about, and why")
    ] = {}
    run: Annotated[str, Meta(description="The screening that it is part of: `sample_id` of its result")] = ""


class CaptureData(Struct, frozen=True, omit_defaults=True):
    """An image was stored as evidence, exactly as the device sent it."""

    digest: Digest
    size: int
    media_type: str
    dataref: str
    trigger: str
    width: int
    height: int
    run: Annotated[str, Meta(description="The screening that it is part of: `sample_id` of its result")] = ""
    alarm: Annotated[str, Meta(description="The new alarm that came of it: `alarm` of its data")] = ""
