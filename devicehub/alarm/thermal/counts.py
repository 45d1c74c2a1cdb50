"""Limits in the channel's unit, inverted once through a camera's calibration to raw counts.

A frame of counts is then compared as it came; only what is reported is converted. The inversion is a search
over the counts with the same formula that converts them, not an algebraic one: so it agrees with the converted
values to the last bit, also where a limit falls on a count or is rounded.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Scale:
    """`value = gain * count + offset - zero` for the counts `least` to `most`."""

    gain: float
    offset: float
    least: int
    most: int
    zero: float = 0.0

    def value(self, count: int) -> float:
        """A count in the channel's unit, relative to `zero`."""
        return self.gain * count + self.offset - self.zero

    def negated(self, count: int) -> float:
        """The same, rising where `gain` is negative."""
        return -self.value(count)


def between(scale: Scale, above: float, below: float) -> tuple[int, int]:
    """The least and the greatest count whose value is more than `above` and less than `below`.

    The first is greater than the second where there is none. A gain of 0 or one that is no number has no inverse
    and must not come here.
    """
    counts = range(scale.least, scale.most + 1)
    if scale.gain > 0:
        first = bisect_right(counts, above, key=scale.value)
        last = bisect_left(counts, below, key=scale.value)
    else:
        first = bisect_right(counts, -below, key=scale.negated)
        last = bisect_left(counts, -above, key=scale.negated)
    return scale.least + first, scale.least + last - 1


@lru_cache(maxsize=256)
def known(scale: Scale, above: float, below: float) -> tuple[int, int]:
    """`between` for limits that do not change from frame to frame."""
    return between(scale, above, below)
