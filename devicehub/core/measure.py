"""Measurements and spectra: range and sanity checks, and their payloads."""

from dataclasses import dataclass, replace
from math import inf, isfinite

import msgspec
import numpy as np

from devicehub.alarm.layout import view
from devicehub.model.device import Channel
from devicehub.model.payload import AxisData, LimitsData, ReadingData, SpectrumData
from devicehub.model.reading import Cause, Measurement, Quality, Spectrum


@dataclass(frozen=True, slots=True)
class Judged:
    """A channel and the limits in force on it, as published with each reading."""

    channel: Channel
    limits: LimitsData | None = None

    def with_limit(self, *, low: float | None = None, high: float | None = None) -> "Judged":
        """The same with one more limit: the tightest of each side is the one in force."""
        old = self.limits or LimitsData()
        lows = [value for value in (old.low, low) if value is not None]
        highs = [value for value in (old.high, high) if value is not None]
        return replace(self, limits=LimitsData(max(lows, default=None), min(highs, default=None)))


def checked(measurement: Measurement, channel: Channel) -> Measurement:
    """The measurement with quality BAD where its value is no number or physically impossible."""
    value = measurement.value
    if channel.low <= value <= channel.high and -inf < value < inf:
        return measurement
    cause = Cause.OUT_OF_RANGE if isfinite(value) else Cause.NOT_A_NUMBER
    return msgspec.structs.replace(measurement, quality=Quality.BAD, cause=cause)


def finite(value: float | None) -> float | None:
    """The number, or None for what is none."""
    return value if value is not None and isfinite(value) else None


def reading_data(measurement: Measurement, judged: Judged, *, named: bool = False) -> ReadingData:
    """The payload of a checked measurement; `named` inside a batch."""
    return ReadingData(
        value=finite(measurement.value),
        unit=judged.channel.unit,
        quality=measurement.quality,
        cause=measurement.cause,
        label=measurement.label,
        channel=measurement.channel if named else "",
        uncertainty=finite(measurement.uncertainty),
        confidence=finite(measurement.confidence),
        limits=judged.limits,
        device_time=finite(measurement.device_time),
    )


def spectrum_data(spectrum: Spectrum, channel: Channel) -> SpectrumData:
    """The payload of a spectrum, with its largest value and where that stands.

    One with a value that is no number is BAD. Raises `ValueError` when the data are no whole number of values.
    """
    values = view(spectrum.data, spectrum.layout)
    numbers = np.isfinite(values)
    whole = bool(numbers.all())
    apex = int(np.where(numbers, values, -np.inf).argmax()) if numbers.any() else None
    axis = spectrum.axis
    where = None if apex is None else axis.start + axis.step * apex + axis.quadratic * apex**2
    return SpectrumData(
        n=int(values.size),
        unit=channel.unit,
        axis=AxisData(axis.unit, axis.step, axis.start, axis.quadratic),
        layout=spectrum.layout,
        values=spectrum.data,
        max=None if apex is None else float(values[apex]),
        apex=finite(where),
        quality=spectrum.quality if whole else Quality.BAD,
        mode=spectrum.mode,
        cause=spectrum.cause if whole else Cause.NOT_A_NUMBER,
        live_time=finite(spectrum.live_time),
        device_time=finite(spectrum.device_time),
    )
