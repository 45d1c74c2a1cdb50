"""An N42.42 file to samples: who measured, spectra, counts, dose rates, what the instrument says it found.

    2011, 2012: RadInstrumentData            2006: N42InstrumentData
      RadInstrumentInformation                 Measurement
      RadDetectorInformation (id)                InstrumentInformation
      EnergyCalibration (id)                     Spectrum: StartTime RealTime LiveTime SourceType
        CoefficientValues                          Calibration/Equation/Coefficients  ChannelData
      RadMeasurement                             CountDoseData: DoseRate (Units)
        MeasurementClassCode StartDateTime       AnalysisResults/NuclideAnalysis/Nuclide
        RealTimeDuration                           NuclideName NuclideIDConfidenceIndication
        Spectrum (references by id): LiveTimeDuration ChannelData
        GrossCounts: LiveTimeDuration CountData        DoseRate: DoseRateValue (uSv/h)
      AnalysisResults
        NuclideAnalysisResults/Nuclide: NuclideIdentifiedIndicator NuclideName NuclideIDConfidenceValue
        SpectrumPeakAnalysisResults/SpectrumPeak: SpectrumPeakEnergyValue SpectrumPeakNetAreaValue
        RadAlarm: RadAlarmCategoryCode

Source: ANSI/IEEE N42.42-2006 and -2012.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from types import MappingProxyType

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    Axis,
    Cause,
    Identity,
    Measurement,
    Quality,
    Sample,
    Spectrum,
)
from devicehub.model.units import Unit
from devicehub.wire.defects import Defects, duration_of, instant_of, number, plain
from devicehub.wire.xml import Element, parse_xml
from drivers.radiation._n42_analysis import verdicts
from drivers.radiation._n42_spectra import axis, channels, packed

MOST_BYTES = 2 * 1024 * 1024
MOST_SPECTRA = 64
MOST_NUMBERS = MOST_SPECTRA * 4096
"""Of all channel data of a file, which is read in one turn: more would hold up other devices."""
_ROOTS = frozenset({"RadInstrumentData", "N42InstrumentData"})
_FACTS = (
    ("manufacturer", ("RadInstrumentManufacturerName", "Manufacturer")),
    ("model", ("RadInstrumentModelName", "InstrumentModel")),
    ("serial", ("RadInstrumentIdentifier", "InstrumentID")),
    ("class", ("RadInstrumentClassCode", "InstrumentType")),
)
_DOSE_UNITS = MappingProxyType({"": 1.0, "uSv/h": 1.0, "\u00b5Sv/h": 1.0, "nSv/h": 1e-3, "mSv/h": 1e3})
_CHANNELS = Axis(Unit.ONE, 1.0)


@dataclass(frozen=True, slots=True)
class _When:
    """Of one measurement: what it is of, its beginning in UTC, its length in s."""

    mode: str
    start: float | None
    real: float | None


def read_n42(name: str, data: bytes) -> Iterator[Sample | ProtocolError]:
    """A whole file. Yields a fault for a spectrum that cannot be read. Raises `ProtocolError` for no N42 file."""
    defects = Defects()
    root = parse_xml(data, defects)
    if root.name not in _ROOTS:
        raise ProtocolError(Reason.UNSUPPORTED, f"XML of '{plain(root.name, 40)}' instead of N42.42")
    yield from _identity(root)
    file = _File(root, plain(root.attributes.get("n42DocUUID", "")) or plain(name), defects)
    yield from file.measured()
    yield from file.found()


def _identity(root: Element) -> Iterator[Identity]:
    for element in (*root.every("RadInstrumentInformation"), *root.every("InstrumentInformation")):
        facts = [(name, plain(element.said(*words))) for name, words in _FACTS]
        for version in list(element.all("RadInstrumentVersion"))[:8]:
            component = plain(version.said("RadInstrumentComponentName")).lower()
            facts.append((component, plain(version.said("RadInstrumentComponentVersion"))))
        yield Identity(tuple((fact, text) for fact, text in facts if fact and text))
        return


class _File:
    """One file that is being read."""

    def __init__(self, root: Element, name: str, defects: Defects) -> None:
        self._root = root
        self._name = name
        self._defects = defects
        self._calibrations = {**_by_id(root, "EnergyCalibration"), **_by_id(root, "Calibration")}
        self._detectors = _by_id(root, "RadDetectorInformation")
        self._spectra = 0
        self._numbers = 0

    def measured(self) -> Iterator[Sample | ProtocolError]:
        """Everything of every measurement."""
        for place in (*self._root.every("RadMeasurement"), *self._root.every("Measurement")):
            modern = place.name == "RadMeasurement"
            when = self._when(place) if modern else _When("", None, None)
            for element in place.every("Spectrum"):
                try:
                    yield self._spectrum(element, when if modern else self._when(element))
                except ProtocolError as error:
                    yield error
            for element in place.every("GrossCounts"):
                yield from self._counts(element, when)
            for element in place.every("DoseRate"):
                yield from self._dose_rate(element, when)

    def found(self) -> Iterator[Sample]:
        """The verdict of each analysis, and an alarm for each thing that it names."""
        yield from verdicts(self._root, self._name, self._defects)

    def _when(self, place: Element) -> _When:
        start, real = place.said("StartDateTime", "StartTime"), place.said("RealTimeDuration", "RealTime")
        return _When(
            plain(place.said("MeasurementClassCode", "SourceType"), 40).lower(),
            instant_of(start, self._defects) if start else None,
            duration_of(real, self._defects) if real else None,
        )

    def _live(self, element: Element, when: _When, own: Defects) -> tuple[float | None, Quality, Cause]:
        """Live time of a detector; what cannot be longer than the measurement itself is doubtful."""
        text = element.said("LiveTimeDuration", "LiveTime")
        live = duration_of(text, own) if text else None
        if live is None or when.real is None or live <= when.real or isclose(live, when.real):
            return live, Quality.GOOD, Cause.NONE
        own.add(f"live time {live:g} s > real time {when.real:g} s")
        return live, Quality.UNCERTAIN, Cause.INCONSISTENT

    def _spectrum(self, element: Element, when: _When) -> Spectrum:
        self._spectra += 1
        content = element.first("ChannelData")
        if content is None:
            raise ProtocolError(Reason.TRUNCATED, "a spectrum without channel data")
        if self._spectra > MOST_SPECTRA:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_SPECTRA} spectra in one file")
        self._numbers += len(content.text.split(maxsplit=MOST_NUMBERS))
        if self._numbers > MOST_NUMBERS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_NUMBERS} numbers of channel data in one file")
        values, layout = packed(channels(content))
        own = Defects()
        live, quality, cause = self._live(element, when, own)
        energy = self._calibration(element, own)
        if energy is None and quality is Quality.GOOD:
            quality, cause = Quality.UNCERTAIN, Cause.UNCALIBRATED
        for text in own.texts:
            self._defects.add(text)
        return Spectrum(
            "gamma",
            values,
            layout,
            energy or _CHANNELS,
            mode=when.mode,
            live_time=live,
            quality=quality,
            cause=cause,
            device_time=when.start,
            run=self._name,
            index=self._spectra - 1,
            defects=self._defects.texts,
        )

    def _calibration(self, element: Element, own: Defects) -> Axis | None:
        reference = element.attributes.get("energyCalibrationReference", element.attributes.get("CalibrationIDs", ""))
        place = element.first("Calibration") or self._calibrations.get(reference)
        if place is None:
            own.add("no energy calibration: channels have no energy")
            return None
        equations = [one.said("Coefficients") for one in place.every("Equation")]
        return axis(place.said("CoefficientValues") or next(iter(equations), ""), own)

    def _counts(self, element: Element, when: _When) -> Iterator[Sample | ProtocolError]:
        """Counts of one detector, all its windows together."""
        numbers = [number(word) for word in element.said("CountData").split(maxsplit=1000)]
        known = [value for value in numbers if value is not None and value >= 0]
        if not known or len(known) < len(numbers):
            yield ProtocolError(Reason.CORRUPT, "gross counts that are no numbers")
            return
        detector = self._detectors.get(element.attributes.get("radDetectorInformationReference", ""))
        neutron = detector is not None and detector.said("RadDetectorCategoryCode") == "Neutron"
        _, quality, cause = self._live(element, when, self._defects)
        channel = "neutron-counts" if neutron else "gamma-counts"
        yield Measurement(channel, sum(known), quality, cause, device_time=when.start)

    def _dose_rate(self, element: Element, when: _When) -> Iterator[Sample | ProtocolError]:
        """In uSv/h; 2006 names the unit, and one that is not known is not converted."""
        value = number(element.said("DoseRateValue") or element.text)
        unit = element.attributes.get("Units", "")
        if value is None or unit not in _DOSE_UNITS:
            yield ProtocolError(Reason.CORRUPT, f"dose rate '{plain(element.text, 40)}' in '{plain(unit, 20)}'")
            return
        yield Measurement("dose-rate", value * _DOSE_UNITS[unit], device_time=when.start)


def _by_id(root: Element, name: str) -> Mapping[str, Element]:
    return {one.attributes.get("id", one.attributes.get("ID", "")): one for one in root.every(name)}
