"""An image as the page takes it."""

import struct
from math import isnan

import numpy as np
import pytest

from devicehub.model.reading import Image, Layout, Stamp
from devicehub.view import Shown
from devicehub.web.pictures import packed

HEADER = struct.Struct("<IIHHffHH")


def shown(data: bytes, layout: Layout, width: int, height: int, **more: float) -> Shown:
    return Shown(Image("image", data, layout, width, height, **more), Stamp(1_795_500_000.25, 1.0), 7)  # type: ignore[arg-type]


def test_the_scale_is_from_the_coldest_to_the_hottest_pixel_in_the_channels_unit() -> None:
    raw = np.array([[1000, 2000, 3000], [1500, 5000, 1000]], dtype="<u2")
    data = packed(shown(raw.tobytes(), Layout.U16LE, 3, 2, gain=0.01, offset=-5.0))
    ms, number, width, height, low, high, column, row = HEADER.unpack_from(data)
    assert (ms, number, width, height) == (1_795_500_000_250 % 2**32, 7, 3, 2)
    assert (low, high, column, row) == (5.0, 45.0, 1, 1)
    assert list(data[HEADER.size :]) == [0, 64, 128, 32, 255, 0]


def test_the_hottest_pixel_has_the_last_index_whatever_the_rounding() -> None:
    for high in range(8900, 9000):
        data = packed(shown(np.array([1002, high], dtype="<i2").tobytes(), Layout.I16LE, 2, 1, gain=0.01))
        assert list(data[HEADER.size :]) == [0, 255]


def test_pixels_that_are_no_numbers_are_drawn_as_the_lowest_and_are_never_the_hottest() -> None:
    raw = np.array([[np.nan, 1.0], [3.0, np.inf]], dtype="<f4")
    data = packed(shown(raw.tobytes(), Layout.F32LE, 2, 2))
    *_, low, high, column, row = HEADER.unpack_from(data)
    assert (low, high, column, row, list(data[HEADER.size :])) == (1.0, 3.0, 0, 1, [0, 0, 255, 0])


def test_an_image_without_one_number_has_no_scale() -> None:
    data = packed(shown(np.full(4, np.nan, "<f4").tobytes(), Layout.F32LE, 2, 2))
    *_, low, high, column, row = HEADER.unpack_from(data)
    assert isnan(low)
    assert isnan(high)
    assert (column, row, data[HEADER.size :]) == (65535, 65535, bytes(4))


def test_an_even_image_is_all_of_its_one_value() -> None:
    data = packed(shown(bytes([9] * 4), Layout.U8, 2, 2))
    assert HEADER.unpack_from(data)[4:6] == (9.0, 9.0)
    assert data[HEADER.size :] == bytes(4)


def test_a_jpeg_goes_as_the_camera_sent_it() -> None:
    data = packed(shown(b"\xff\xd8\xff\xd9", Layout.JPEG, 640, 480))
    assert data[HEADER.size :] == b"\xff\xd8\xff\xd9"
    assert isnan(HEADER.unpack_from(data)[4])


def test_data_that_do_not_fit_the_size_are_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes are not 2x2 u8"):
        packed(shown(bytes(3), Layout.U8, 2, 2))
