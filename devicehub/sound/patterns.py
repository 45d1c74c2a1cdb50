"""What an alarm sounds like, and which of those that stand is heard. Pure.

Bursts after IEC 60601-1-8:2006 (pulses of 75 to 250 ms, a fundamental of 150 to 1000 Hz with harmonics below 4 kHz,
more pulses and shorter pauses the more urgent it is): the priority is the rhythm. What it is about is the pitch, so
that a fault of a device is never taken for a detection.
"""

import io
import wave
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from devicehub.model.alarm import AlarmCategory, Priority
from devicehub.model.payload import AlarmData

RATE: Final = 22_050
HARMONICS: Final = 4
LOUD: Final = 0.8
RAMP: Final = 0.015
URGENCY: Final = tuple(Priority)
"""Priorities, the most urgent first."""
PITCH: Final[Mapping[AlarmCategory, float]] = MappingProxyType(
    {
        AlarmCategory.THREAT: 880.0,
        AlarmCategory.TRAINING: 880.0,
        AlarmCategory.DEVICE: 330.0,
        AlarmCategory.HUB: 330.0,
    }
)


class Burst(Struct, frozen=True):
    """A rhythm: groups of pulses, in seconds; `every`: from one burst to the beginning of the next."""

    groups: tuple[int, ...]
    pulse: float
    gap: float
    pause: float
    every: float

    @property
    def lasts(self) -> float:
        """Seconds from its first pulse to the end of its last."""
        count = sum(self.groups)
        return count * self.pulse + (count - len(self.groups)) * self.gap + (len(self.groups) - 1) * self.pause


BURSTS: Final[Mapping[Priority, Burst]] = MappingProxyType(
    {
        Priority.CRITICAL: Burst(groups=(5, 5), pulse=0.12, gap=0.08, pause=0.45, every=4.0),
        Priority.HIGH: Burst(groups=(5,), pulse=0.15, gap=0.12, pause=0.0, every=6.0),
        Priority.MEDIUM: Burst(groups=(3,), pulse=0.2, gap=0.2, pause=0.0, every=10.0),
        Priority.LOW: Burst(groups=(2,), pulse=0.2, gap=0.3, pause=0.0, every=30.0),
    }
)


class Call(Struct, frozen=True):
    """What is to be heard now."""

    priority: Priority
    category: AlarmCategory

    @property
    def name(self) -> str:
        """Of its sound; what sounds alike has the same."""
        return f"{self.priority.value}-{PITCH[self.category]:.0f}"

    @property
    def burst(self) -> Burst:
        """Its rhythm."""
        return BURSTS[self.priority]


def due(standing: Iterable[AlarmData], least: Priority) -> Call | None:
    """The most urgent that nobody has acknowledged, silenced or put aside; among equals what is no fault comes first.

    None where there is nothing, or nothing at least as urgent as `least`.
    """
    heard = [Call(one.priority, one.category) for one in standing if _calls(one)]
    loud = [call for call in heard if URGENCY.index(call.priority) <= URGENCY.index(least)]
    return min(loud, key=lambda call: (URGENCY.index(call.priority), -PITCH[call.category]), default=None)


def _calls(one: AlarmData) -> bool:
    aside = one.suppressed or one.out_of_service or one.shelved is not None or not one.enabled
    return not one.acknowledged and one.silenced is None and not aside


def sound(call: Call) -> bytes:
    """One burst as a WAV file: one channel, 16 bits."""
    burst, pulse = call.burst, _pulse(PITCH[call.category], call.burst.pulse)
    parts: list[npt.NDArray[np.float64]] = []
    for number, count in enumerate(burst.groups):
        parts += [_silence(burst.pause)] if number else []
        for place in range(count):
            parts += [_silence(burst.gap)] if place else []
            parts.append(pulse)
    samples = (np.concatenate(parts) * (LOUD * 32_767)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def _pulse(pitch: float, seconds: float) -> npt.NDArray[np.float64]:
    """A tone with harmonics, which is found by ear better than a pure one; it comes and goes without a click."""
    at = np.arange(round(seconds * RATE)) / RATE
    tone = sum((np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, HARMONICS + 1)), np.zeros_like(at))
    ramp = np.minimum(1.0, np.minimum(at, at[::-1]) / RAMP)
    shaped: npt.NDArray[np.float64] = tone * ramp
    loudest = float(np.abs(shaped).max())
    return np.divide(shaped, loudest)


def _silence(seconds: float) -> npt.NDArray[np.float64]:
    return np.zeros(round(seconds * RATE))
