"""Numbers as devices send them, as people read them."""

import math


def single(value: float) -> float:
    """The shortest decimal that a 32-bit float stands for: 0.4, not 0.4000000059604645.

    Seven significant digits tell every IEEE 754 single apart that came from a decimal of six or fewer.
    """
    return float(f"{value:.7g}") if math.isfinite(value) else value
