"""Numbers as people read them."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from devicehub.wire.numbers import single


def as_single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


@given(st.decimals(min_value=-1000, max_value=1000, places=3))
def test_a_short_decimal_survives_a_32_bit_float(value: float) -> None:
    assert single(as_single(float(value))) == float(value)


def test_no_number_stays_no_number() -> None:
    assert math.isnan(single(math.nan))
    assert single(math.inf) == math.inf
