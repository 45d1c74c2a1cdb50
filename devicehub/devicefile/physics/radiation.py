"""A gamma and neutron detector near a source: Poisson counts, dose, a spectrum with one line."""

from random import Random

import numpy as np

from devicehub.devicefile.physics.model import Options, Quantities, check_known, generator, number

_DISCHARGE = 0.0005
_KNOWN = ("sensitivity", "background", "channels", "line", "width", "neutron_background")


class Radiation:
    """Counts of whole seconds.

    Options: `sensitivity` in counts/s for 1 uSv/h, `background` in uSv/h, `channels` of the spectrum with the
    source's `line` at a channel and its `width`, `neutron_background` in counts/s. Verbs: `source(rate, distance)`,
    uSv/h at 1 m and metres (1 unless given), `neutrons(rate)` in counts/s, `battery(percent)`, `demo` brings a source
    for the first half minute of every two.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, _KNOWN)
        self._chance = generator(random)
        self._sensitivity = number(options, "sensitivity", 30.0)
        self._background = number(options, "background", 0.1)
        self._neutron_rate = number(options, "neutron_background", 0.05)
        self._shape = _shapes(options)
        self._source = 0.0
        self._demo = False
        self._elapsed = 0.0
        self._seconds = 0
        self._dose = 0.0
        self._counts = self._before = self._neutrons = 0
        self._battery = 92.0
        self._spectrum = self._total = np.zeros(len(self._shape[0]), np.int64)

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._demo = True
        elif verb == "source":
            self._source = float(values["rate"]) / float(values.get("distance", 1.0)) ** 2
        elif verb == "neutrons":
            self._neutron_rate = float(values["rate"])
        elif verb == "battery":
            self._battery = float(values["percent"])
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, source, neutrons, battery")

    def advance(self, dt: float) -> list[str]:
        """Time passes; `second` after each whole one."""
        self._elapsed += dt
        events = []
        while self._elapsed >= 1.0:
            self._elapsed -= 1.0
            self._second()
            events.append("second")
        return events

    def _second(self) -> None:
        self._seconds += 1
        if self._demo:
            self._source = 0.8 if self._seconds % 120 < 30 else 0.0
        continuum, line = self._shape
        expected = self._sensitivity * (self._background * continuum + self._source * (0.6 * continuum + 0.4 * line))
        self._spectrum = self._chance.poisson(expected)
        self._total = self._total + self._spectrum
        self._before, self._counts = self._counts, int(self._spectrum.sum())
        self._battery = max(0.0, self._battery - _DISCHARGE)
        self._neutrons = int(self._chance.poisson(self._neutron_rate))
        self._dose += self._rate() / 3600

    def _rate(self) -> float:
        return self._background + self._source

    def quantities(self) -> Quantities:
        """Of the last second: `counts`, `neutrons`, `spectrum`; `counts2` of the last two.

        `dose_rate` in uSv/h, `dose` in uSv, `total` of the spectra, `battery` in %.
        """
        return {
            "counts": self._counts,
            "counts2": self._before + self._counts,
            "battery": self._battery,
            "neutrons": self._neutrons,
            "dose_rate": self._rate(),
            "dose": self._dose,
            "spectrum": self._spectrum,
            "total": self._total,
            "seconds": self._seconds,
        }


def _shapes(options: Options) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    """A continuum that falls off, and a line; each sums to one."""
    channels = int(number(options, "channels", 1))
    x = np.arange(channels, dtype=np.float64)
    centre, width = number(options, "line", channels / 4), number(options, "width", max(channels / 100, 1))
    continuum = np.exp(-x / max(channels / 6, 1))
    line = np.exp(-0.5 * ((x - centre) / width) ** 2)
    return continuum / continuum.sum(), line / line.sum()
