"""Measurements and spectra: range and sanity checks, and their payloads."""

from dataclasses import dataclass, replace
from math import inf, isfinite

import msgspec

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


def reading_data(measurement: Measurement, judged: Judged, *, named: bool = False) -> ReadingData:
    """The payload of a checked measurement; `named` inside a batch."""
    value = measurement.value
    return ReadingData(
        value=value if isfinite(value) else None,
        unit=judged.channel.unit,
        quality=measurement.quality,
        cause=measurement.cause,
        label=measurement.label,
        channel=measurement.channel if named else "",
        uncertainty=measurement.uncertainty,
        confidence=measurement.confidence,
        limits=judged.limits,
        device_time=measurement.device_time,
    )


def spectrum_data(spectrum: Spectrum, channel: Channel) -> SpectrumData:
    """The payload of a spectrum, with its largest value and where that stands.

    Raises `ValueError` when the data are no whole number of values.
    """
    values = view(spectrum.data, spectrum.layout)
    apex = int(values.argmax()) if values.size else None
    axis = spectrum.axis
    where = None if apex is None else axis.start + axis.step * apex + axis.quadratic * apex**2
    largest = None if apex is None else float(values[apex])
    return SpectrumData(
        n=int(values.size),
        unit=channel.unit,
        axis=AxisData(axis.unit, axis.step, axis.start, axis.quadratic),
        layout=spectrum.layout,
        values=spectrum.data,
        max=largest if largest is not None and isfinite(largest) else None,
        apex=where,
        quality=spectrum.quality,
        mode=spectrum.mode,
        cause=spectrum.cause,
        live_time=spectrum.live_time,
        device_time=spectrum.device_time,
    )
