"""Measurements and spectra: range and sanity checks, and their payloads."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite

import msgspec
import numpy as np

from devicehub.alarm.conditions import inputs
from devicehub.alarm.layout import view
from devicehub.driver import Driver
from devicehub.model.alarm import Condition, Limit
from devicehub.model.device import Channel
from devicehub.model.message import Message
from devicehub.model.payload import AxisData, DriftData, LimitsData, ReadingData, SpectrumData
from devicehub.model.reading import Cause, Measurement, Quality, Spectrum
from devicehub.model.thermal import ThermalRule

_SIDES = {Condition.HIGH_HIGH: True, Condition.HIGH: True, Condition.LOW: False, Condition.LOW_LOW: False}


@dataclass(frozen=True, slots=True)
class Judged:
    """A channel and the limits in force on it, as published with each reading."""

    channel: Channel
    limits: LimitsData | None = None

    def with_limit(self, limit: Limit) -> "Judged":
        """The same with one more limit: the tightest of each side is the one in force."""
        if limit.condition not in _SIDES:
            return self
        old, high = self.limits or LimitsData(), _SIDES[limit.condition]
        lows = [value for value in (old.low, None if high else limit.limit) if value is not None]
        highs = [value for value in (old.high, limit.limit if high else None) if value is not None]
        return replace(self, limits=LimitsData(max(lows, default=None), min(highs, default=None)))


def judged_channels(channels: Collection[Channel], rules: Iterable[ThermalRule]) -> Iterator[tuple[str, Judged]]:
    """The channels of a device, and those that thermal rules make of its images, by name."""
    units = {channel.name: channel.unit for channel in channels}
    yield from ((channel.name, Judged(channel)) for channel in channels)
    for rule in rules:
        yield rule.watched, Judged(Channel(name=rule.watched, title=rule.name, unit=rule.unit(units[rule.channel])))


def judged_by(
    devices: Mapping[str, Driver], limits: Collection[Limit], thermal: Collection[ThermalRule]
) -> dict[tuple[str, str], Judged]:
    """Every channel of devices and of their thermal rules, by device and name, with the limits that are in force on it.

    A statistic of an image has the image's channel, and so has a reference.
    """
    found: dict[tuple[str, str], Judged] = {}
    for name, driver in devices.items():
        rules = [rule for rule in thermal if rule.device == name]
        found |= {(name, one): channel for one, channel in judged_channels(driver.channels, rules)}
    for device, channel in inputs(limits):
        if (whole := found.get((device, channel.partition(".")[0]))) is not None:
            found.setdefault((device, channel), whole)
    for limit in limits:
        key = (limit.device, limit.channel)
        found[key] = found[key].with_limit(limit)
    return found


def checked(measurement: Measurement, channel: Channel) -> Measurement:
    """The measurement with quality BAD where its value is no number or physically impossible."""
    if channel.holds(measurement.value):
        return measurement
    cause = Cause.OUT_OF_RANGE if isfinite(measurement.value) else Cause.NOT_A_NUMBER
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
        run=spectrum.run,
        index=spectrum.index,
        idle=spectrum.idle,
        drift=None if spectrum.drift is None else DriftData(*msgspec.structs.astuple(spectrum.drift)),
        defects=spectrum.defects,
    )


def joined(messages: list[Message], batches: Mapping[tuple[str, float], list[int]]) -> list[Message]:
    """Readings of one device and instant as one message that carries them all, in the place of the first."""
    replaced: dict[int, Message | None] = {}
    for places in batches.values():
        first = messages[places[0]]
        data = tuple(messages[place].data for place in places)
        replaced.update(dict.fromkeys(places))
        replaced[places[0]] = msgspec.structs.replace(first, point="", data=data)
    return [kept for place, message in enumerate(messages) if (kept := replaced.get(place, message)) is not None]
