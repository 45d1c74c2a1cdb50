"""Radionuclide identifier simulator: an officer measures, and an N42.42-2011 file appears for each measurement.

The physics: a falling continuum of background, and the photopeaks of what lies before the crystal with the Compton
shelf below each; Poisson counts. The writer is this module's own, from the published layout.
"""

import math
from datetime import UTC, datetime
from random import Random

import numpy as np

Curve = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

CHANNELS = 512
OFFSET, GAIN = 2.93, 5.86  # keV, keV a channel
SOURCES = {"Cs-137": ((661.7, 1.0),), "Co-60": ((1173.2, 1.0), (1332.5, 1.0)), "K-40": ((1460.8, 1.0),)}
FAULTS = ("zone", "live", "confidence", "latin1", "truncated", "none")
EPOCH = 1767225600  # the instrument's clock at power-up: 2026-01-01
SECONDS = 15.0


class Identifier:
    """Leaves M0001.n42, M0002.n42, ...

    Verbs: `demo` (a measurement every 20 s, a source in every second one); `measure`; `source(name, rate)`: Cs-137,
    Co-60 or K-40 before it, counts a second in its peaks; `clear`; `fault(kind)` for the next file: zone (-0500),
    live (longer than real), confidence (100.0), latin1, truncated, or none.
    """

    def __init__(self, random: Random) -> None:
        self._chance = np.random.default_rng(random.getrandbits(64))
        self._time = 0.0
        self._next: float | None = None
        self._taken = 0
        self._source: tuple[str, float] | None = None
        self._fault = "none"
        self._files: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 5.0
        elif verb == "measure":
            self._measure()
        elif verb == "source" and values["name"] in SOURCES:
            self._source = (str(values["name"]), float(values["rate"]))
        elif verb == "clear":
            self._source = None
        elif verb == "fault" and values["kind"] in FAULTS:
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"n42 has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the files written since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 20.0
            self._source = ("Cs-137", 80.0) if self._taken % 2 else None
            self._measure()
        files, self._files = self._files, []
        return files

    def _measure(self) -> None:
        fault, self._fault = self._fault, "none"
        self._taken += 1
        counts = self._chance.poisson(self._expected())
        text = self._text([int(count) for count in counts], fault)
        data = text.encode("latin-1" if fault == "latin1" else "utf-8")
        self._files.append((f"M{self._taken:04d}.n42", data[: len(data) // 2] if fault == "truncated" else data))

    def _expected(self) -> Curve:
        energy = OFFSET + GAIN * np.arange(CHANNELS)
        expected: Curve = 0.4 * np.exp(-energy / 350.0) * SECONDS
        if self._source is not None:
            name, rate = self._source
            for line, share in SOURCES[name]:
                width = 0.03 * math.sqrt(line * 661.7)
                peak = np.exp(-((energy - line) ** 2) / (2 * width**2)) * GAIN / (width * math.sqrt(2 * math.pi))
                shelf = 2.0 * GAIN / line * (energy < 0.72 * line)
                expected = expected + rate * share * SECONDS * (peak + shelf)
        return expected

    def _text(self, counts: list[int], fault: str) -> str:
        packed = self._taken % 2 == 1
        data = " ".join(str(number) for number in (_zeros_counted(counts) if packed else counts))
        live = SECONDS + 1.5 if fault == "live" else SECONDS - 0.4
        start = datetime.fromtimestamp(EPOCH + self._time, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return (
            '<?xml version="1.0"?>\n<RadInstrumentData xmlns="http://physics.nist.gov/N42/2011/N42">\n'
            "<RadInstrumentInformation><RadInstrumentManufacturerName>Simulated</RadInstrumentManufacturerName>"
            "<RadInstrumentIdentifier>SIM-1</RadInstrumentIdentifier>"
            "<RadInstrumentModelName>Identifier</RadInstrumentModelName></RadInstrumentInformation>\n"
            '<RadDetectorInformation id="D1"><RadDetectorCategoryCode>Gamma</RadDetectorCategoryCode>'
            f"<RadDetectorDescription>CsI, 25 {'µ' if fault == 'latin1' else 'u'}s</RadDetectorDescription>"
            "</RadDetectorInformation>\n"
            '<RadDetectorInformation id="D2"><RadDetectorCategoryCode>Neutron</RadDetectorCategoryCode>'
            "</RadDetectorInformation>\n"
            f'<EnergyCalibration id="E1"><CoefficientValues>{OFFSET} {GAIN} 0</CoefficientValues></EnergyCalibration>\n'
            '<RadMeasurement id="M1"><MeasurementClassCode>Foreground</MeasurementClassCode>'
            f"<StartDateTime>{start}{'-0500' if fault == 'zone' else 'Z'}</StartDateTime>"
            f"<RealTimeDuration>PT{SECONDS}S</RealTimeDuration>\n"
            '<Spectrum id="S1" radDetectorInformationReference="D1" energyCalibrationReference="E1">'
            f"<LiveTimeDuration>PT{live}S</LiveTimeDuration>"
            f'<ChannelData compressionCode="{"CountedZeroes" if packed else "None"}">{data}</ChannelData></Spectrum>\n'
            f'<GrossCounts id="G1" radDetectorInformationReference="D1"><CountData>{sum(counts)}</CountData>'
            '</GrossCounts><GrossCounts id="G2" radDetectorInformationReference="D2"><CountData>'
            f"{int(self._chance.poisson(0.2))}</CountData></GrossCounts>\n"
            f'<DoseRate id="R1"><DoseRateValue>{0.05 + 2e-5 * sum(counts):.3f}</DoseRateValue></DoseRate>\n'
            f"</RadMeasurement>\n{self._analysis(fault)}</RadInstrumentData>\n"
        )

    def _analysis(self, fault: str) -> str:
        """A source of any strength is found: how well instruments identify is not simulated."""
        found = ""
        if self._source is not None:
            found = (
                "<Nuclide><NuclideIdentifiedIndicator>true</NuclideIdentifiedIndicator>"
                f"<NuclideName>{self._source[0]}</NuclideName><NuclideIDConfidenceValue>"
                f"{'100.0' if fault == 'confidence' else '0.97'}</NuclideIDConfidenceValue></Nuclide>"
            )
        return (
            "<AnalysisResults><AnalysisResultStatusCode>Success</AnalysisResultStatusCode>"
            f"<NuclideAnalysisResults>{found}</NuclideAnalysisResults></AnalysisResults>\n"
        )


def _zeros_counted(counts: list[int]) -> list[int]:
    """A run of zeros becomes one zero and its length."""
    out: list[int] = []
    run = 0
    for count in [*counts, -1]:
        if count == 0:
            run += 1
            continue
        if run:
            out += [0, run]
            run = 0
        out.append(count)
    return out[:-1]


SIMULATOR = Identifier
