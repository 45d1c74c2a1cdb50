"""Thermal images of the tests: a level scene in 1/64 K with warm or cold patches."""

from collections.abc import Mapping

import numpy as np

from devicehub.model.reading import Image, Layout, Radiometric
from devicehub.model.thermal import Look, ThermalRule

GAIN, OFFSET = 1 / 64, -273.15
Patch = tuple[int, int, int, int]


def counts(celsius: float) -> int:
    """The count of 1/64 K that is nearest to a temperature."""
    return round((celsius - OFFSET) / GAIN)


def scene(
    patches: Mapping[Patch, float] | None = None,
    *,
    level: float = 20.0,
    size: tuple[int, int] = (64, 48),
    noise: int = 0,
    serial: int = 0,
    layout: Layout = Layout.U16LE,
) -> Image:
    """`patches`: temperature of each rectangle (left, top, width, height). `serial` makes frames of one scene differ."""
    width, height = size
    raw = np.full((height, width), counts(level), np.float64)
    if noise:
        raw += np.rint(np.random.default_rng(serial).normal(0, noise, raw.shape))
    for (left, top, across, down), celsius in (patches or {}).items():
        raw[top : top + down, left : left + across] = counts(celsius)
    raw[-1, -1] -= serial  # a live sensor never gives the same frame twice
    if layout is Layout.F32LE:
        values = (raw * GAIN + OFFSET).astype("<f4").tobytes()
        return Image("image", values, layout, width, height, radiometric=Radiometric.TRUE, emissivity=0.95)
    data = raw.astype("<u2").tobytes()
    return Image("image", data, layout, width, height, GAIN, OFFSET, Radiometric.TRUE, emissivity=0.95)


def rule(look: Look = Look.ABOVE, limit: float = 30.0, **more: object) -> ThermalRule:
    """A rule `warm` of the device `cam`."""
    return ThermalRule(name="warm", device="cam", channel="image", look=look, limit=limit, **more)  # type: ignore[arg-type]  # by name
