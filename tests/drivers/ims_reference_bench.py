"""The reference trace detector's simulator and driver joined back to back, in virtual time."""

from collections.abc import Iterator
from random import Random
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Identity, Measurement, Sample, Spectrum
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Ended, Step
from simulators.trace.ims_reference import ImsReference
from tests.conformance import check_step

Kind = TypeVar("Kind", bound=Sample)
TICK = 0.05


class Bench:
    """One device and its driver on an ideal line."""

    def __init__(self, seed: int = 3) -> None:
        self.simulator = ImsReference(Random(seed))
        self.driver = load_driver("trace.ims_reference")
        self.protocol = self.driver.open({})
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.requests: list[bytes] = []
        self.ended: list[Ended] = []
        self.wake: float | None = None
        self._settle(self.protocol.start(0.0))

    def run(self, seconds: float) -> "Bench":
        """Let time pass."""
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self._hear(self.simulator.advance(TICK))
            if self.wake is not None and self.wake <= self.now:
                self._settle(self.protocol.on_timer(self.now))
        return self

    def warmed(self) -> "Bench":
        """Past the warm-up, its first blank seen and everything of it forgotten."""
        self.simulator.do("warm", seconds=1)
        self.run(3)
        return self.forget()

    def forget(self) -> "Bench":
        """Drop what was collected."""
        self.samples.clear()
        self.faults.clear()
        self.requests.clear()
        self.ended.clear()
        return self

    def swab(self, substance: str = "", mass_ng: float = 0.0) -> "Bench":
        """A whole run, and what follows it directly."""
        self.simulator.do("sample", substance=substance, mass_ng=mass_ng)
        return self.run(5.5)

    def seen(self, kind: type[Kind]) -> list[Kind]:
        """The samples of one kind, in order."""
        return [sample for sample in self.samples if isinstance(sample, kind)]

    def states(self) -> list[str]:
        """The state channel without repetitions."""
        labels = [sample.label for sample in self.seen(Measurement) if sample.channel == "state"]
        return [label for at, label in enumerate(labels) if at == 0 or labels[at - 1] != label]

    def reasons(self) -> list[str]:
        """Reasons of the faults, in order."""
        return [str(fault.reason) for fault in self.faults]

    def scans(self, mode: str) -> Iterator[tuple[Spectrum, float, float]]:
        """Each plasmagram of one polarity with the temperature (K) and pressure (hPa) told before it."""
        last: dict[str, float] = {}
        for sample in self.samples:
            if isinstance(sample, Measurement):
                last[sample.channel] = sample.value
            elif isinstance(sample, Spectrum) and sample.mode == mode:
                yield sample, last["drift-temperature"] + 273.15, last["pressure"]

    def _hear(self, data: bytes) -> None:
        if data:
            self._settle(self.protocol.on_packet(self.now, Packet(data)))

    def _settle(self, step: Step) -> None:
        check_step(self.driver, step)
        self.samples += step.samples
        self.ended += step.ended
        self.faults += step.faults
        self.wake = step.wake_at
        for packet in step.write:
            self.requests.append(packet.data)
            self._hear(self.simulator.on_bytes(packet.data))


def points(spectrum: Spectrum) -> NDArray[np.float64]:
    """The counts of a plasmagram."""
    return np.frombuffer(spectrum.data, dtype="<u2").astype(np.float64)


def apex(spectrum: Spectrum, near: float, reach: float = 0.2) -> float:
    """Drift time in ms of the peak within `reach` ms of `near`: parabola through the logarithm of its top half."""
    axis, counts = spectrum.axis, points(spectrum)
    counts = counts - np.median(counts)
    times = axis.start + axis.step * np.arange(counts.size)
    top = np.where(np.abs(times - near) < reach, counts, 0.0)
    inside = top > top.max() / 2
    bend, slope, _ = np.polyfit(times[inside] - near, np.log(top[inside]), 2)
    return float(near - slope / (2 * bend))


def facts(identity: Identity) -> dict[str, str]:
    """The identity's facts by name."""
    return dict(identity.facts)
