"""Numbers as devices send them, as people read them."""

import math
import struct


def single(value: float) -> float:
    """The shortest decimal that a 32-bit float stands for: 0.4, not 0.4000000059604645.

    Seven significant digits tell every IEEE 754 single apart that came from a decimal of six or fewer.
    """
    return float(f"{value:.7g}") if math.isfinite(value) else value


def shortest(value: float) -> float:
    """The decimal of the fewest digits that gives the 32-bit float `value` again: at most nine.

    Of a float that came from a decimal of six digits or fewer it is that decimal, as `single` gives it.
    """
    exact = _pack(value)
    short = float(f"{value:.7g}")
    if _pack(short) == exact:
        return short
    short = float(f"{value:.8g}")
    return short if _pack(short) == exact else float(f"{value:.9g}")


_pack = struct.Struct("<f").pack
