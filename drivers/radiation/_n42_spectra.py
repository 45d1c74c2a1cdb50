"""Numbers of an N42.42 file: channel data and energy calibrations.

`ChannelData`: whole or decimal numbers separated by space, one a channel. With the compression CountedZeroes a 0 is
followed by how many zeros it stands for; the attribute is `compressionCode` (2011) or `Compression` (2006), None or
CountedZeroes. Energy of channel i: `a0 + a1 * i + a2 * i**2`, in keV.

Source: ANSI/IEEE N42.42-2006 and -2012, ChannelData and EnergyCalibration; Annex C holds one spectrum in both codings.
"""

import numpy as np
from numpy.typing import NDArray

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Axis, Layout
from devicehub.model.units import Unit
from devicehub.wire.defects import Defects, number, plain
from devicehub.wire.xml import Element

MOST_CHANNELS = 65_536
_U32 = 2**32
Numbers = NDArray[np.float64]


def channels(element: Element) -> Numbers:
    """The channels of a `ChannelData` element, shape (n,). Raises `ProtocolError`; nothing of it is guessed."""
    words = element.text.split(maxsplit=MOST_CHANNELS)
    if len(words) > MOST_CHANNELS:
        raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_CHANNELS} channels")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise ProtocolError(Reason.CORRUPT, f"channel data: {plain(str(error), 60)}") from None
    if not values.size or not np.isfinite(values).all():
        raise ProtocolError(Reason.RANGE, "channel data without a channel, or with one that is no number")
    coding = element.attributes.get("compressionCode", element.attributes.get("Compression", "None"))
    if coding == "CountedZeroes":
        return _counted_zeroes(values)
    if coding != "None":
        raise ProtocolError(Reason.UNSUPPORTED, f"channel data compressed as {plain(coding, 40)}")
    return values


def _counted_zeroes(values: Numbers) -> Numbers:
    """Undo the coding. What follows a zero is a count, so a count is found by its place and not by its value.

    A count is never 0, so of two zeros in a row the second could only be one: then the coding is broken.
    """
    zeros = np.flatnonzero(values == 0)
    if zeros.size and (zeros[-1] == values.size - 1 or (np.diff(zeros) == 1).any()):
        raise ProtocolError(Reason.CORRUPT, "a zero without its count")
    counts = values[zeros + 1]
    if (counts < 1).any() or (counts != np.floor(counts)).any():
        raise ProtocolError(Reason.RANGE, "a count of zeros that is no whole number")
    times = np.ones(values.size, dtype=np.float64)
    times[zeros] = counts
    times[zeros + 1] = 0
    if times.sum() > MOST_CHANNELS:
        raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_CHANNELS} channels")
    return np.repeat(values, times.astype(np.int64))


def packed(values: Numbers) -> tuple[bytes, Layout]:
    """Counts as they fit: whole ones as integers, others as floats. Raises `ProtocolError` for what fits in none."""
    if (values >= 0).all() and (values < _U32).all() and (values == np.floor(values)).all():
        return values.astype("<u4").tobytes(), Layout.U32LE
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise ProtocolError(Reason.RANGE, "a channel beyond what a float holds")
    return values.astype("<f4").tobytes(), Layout.F32LE


def axis(coefficients: str, defects: Defects) -> Axis | None:
    """The calibration that these coefficients are; None, and a defect, where they are none."""
    words = coefficients.split(maxsplit=16)
    numbers = [number(word) for word in words]
    known = [value for value in numbers if value is not None]
    if len(known) < 2 or len(known) < len(numbers) or known[1] <= 0:
        defects.add(f"'{plain(coefficients, 40)}' is no energy calibration: channels have no energy")
        return None
    if any(known[3:]):
        defects.add(f"of an energy calibration with {len(known)} coefficients only three can be published")
    start, step, quadratic = (*known[:3], 0.0)[:3]
    return Axis(Unit.KILOELECTRONVOLT, step, start, quadratic)
