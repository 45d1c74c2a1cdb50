"""Statistics of images."""

import struct
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.frames import pixels, statistics
from devicehub.model.reading import Image, Layout


def test_raw_pixels_are_converted_by_gain_and_offset() -> None:
    image = Image("image", struct.pack("<4H", 0, 64, 128, 640), Layout.U16LE, 2, 2, gain=1 / 64, offset=-5.0)
    found = statistics(image)
    assert found is not None
    assert (found.min, found.max) == (-5.0, 5.0)
    assert found.mean == pytest.approx(-1.75)
    assert (found.hot_x, found.hot_y) == (1, 1)


def test_pixels_that_are_no_numbers_are_left_out() -> None:
    image = Image("image", struct.pack("<4f", nan, 1.0, 3.0, nan), Layout.F32LE, 4, 1)
    found = statistics(image)
    assert found is not None
    assert (found.min, found.mean, found.max, found.hot_x) == (1.0, 2.0, 3.0, 2)


def test_an_image_without_one_number_has_no_statistics() -> None:
    assert statistics(Image("image", struct.pack("<2f", nan, nan), Layout.F32LE, 2, 1)) is None


def test_an_encoded_image_has_no_statistics() -> None:
    assert statistics(Image("image", b"\xff\xd8\xff\xd9", Layout.JPEG, 2, 1)) is None


def test_data_that_do_not_fit_the_size_are_an_error() -> None:
    with pytest.raises(ValueError, match="2x2"):
        pixels(Image("image", b"\x00" * 6, Layout.U16LE, 2, 2))


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_sorted_pixels(values: list[int]) -> None:
    found = statistics(Image("image", np.array(values, "<u2").tobytes(), Layout.U16LE, len(values), 1))
    ordered = sorted(values)
    assert found is not None
    assert (found.min, found.max) == (ordered[0], ordered[-1])
    assert found.p05 == ordered[round(0.05 * (len(ordered) - 1))]
    assert found.p95 == ordered[round(0.95 * (len(ordered) - 1))]
    assert values[found.hot_x] == ordered[-1]


@pytest.mark.parametrize(
    ("layout", "kind"),
    [(Layout.U8, "u1"), (Layout.U16LE, "<u2"), (Layout.I16LE, "<i2"), (Layout.U32LE, "<u4"), (Layout.F32LE, "<f4")],
)
@pytest.mark.parametrize("size", [4095, 4096, 4097, 19200])
@pytest.mark.parametrize("spread", [0.0, 3.0, 1e4, 1e9])
def test_percentiles_of_a_frame_are_those_of_the_sorted_pixels(
    layout: Layout, kind: str, size: int, spread: float
) -> None:
    """Of one value, of a few, and of all that the layout has, its ends among them."""
    drawn = np.random.default_rng(size).normal(100, spread, size)
    limits = np.iinfo(kind) if np.dtype(kind).kind in "iu" else np.finfo(kind)
    values = np.clip(drawn, float(limits.min), float(limits.max)).astype(kind)
    ordered = np.sort(values).astype(float).tolist()
    found = statistics(Image("image", values.tobytes(), layout, size, 1))
    assert found is not None
    last = size - 1
    wanted = [ordered[place] for place in (0, round(0.05 * last), round(0.95 * last), last)]
    assert [found.min, found.p05, found.p95, found.max] == wanted
