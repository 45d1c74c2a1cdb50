"""What the analyses of an N42.42 file found: verdicts, alarms, nuclides, peaks. See `_n42_file`.

Of nuclides, kinds of alarm and peaks of an analysis at most `MOST_NAMED` are told, and a defect says how many there
are. The verdict is that of all of them: nothing that was found is lost behind what stands before it. Of what a file
says twice and should say once, the worse counts.
"""

from collections.abc import Iterator, Sequence

from devicehub.model.reading import Cause, Identified, Outcome, Peak, Result, Sample
from devicehub.model.units import Unit
from devicehub.wire.defects import Defects, instant_of, number, plain
from devicehub.wire.findings import finding
from devicehub.wire.xml import Element

MOST_ANALYSES = 256
MOST_NAMED = 32
_NATURAL = ("norm", "naturally occurring")
_ANALYSES = ("NuclideAnalysisResults", "NuclideAnalysis")
_FAILED = frozenset({"Failure", "Other"})
_NO = frozenset({"false", "0"})


def verdicts(root: Element, run: str, defects: Defects) -> Iterator[Sample]:
    """Of each analysis a result and an alarm for each thing that it names. `run`: the file, as its spectra name it.

    More than `MOST_ANALYSES` would hold up other devices: the others together are one inconclusive result.
    """
    analyses, starts = list(root.every("AnalysisResults")), _Starts(root)
    for analysis in analyses[:MOST_ANALYSES]:
        yield from _verdict(analysis, starts.of(analysis), run, defects)
    if len(analyses) > MOST_ANALYSES:
        defects.add(f"of {len(analyses)} analyses {MOST_ANALYSES} are told")
        yield Result(Outcome.INCONCLUSIVE, run, cause=Cause.INCOMPLETE, defects=defects.texts)


class _Starts:
    """When what is analysed was measured, as the file writes it."""

    def __init__(self, root: Element) -> None:
        places = [*root.every("RadMeasurement"), *root.every("Measurement")]
        told = [(place, place.said("StartDateTime", "StartTime")) for place in places]
        self._by_id = {place.attributes.get("id", ""): start for place, start in told}
        self._foreground = {start for place, start in told if place.said("MeasurementClassCode") == "Foreground"}
        self._all = {start for _, start in told}

    def of(self, analysis: Element) -> str:
        """Its own, else that of what it refers to, of the foreground or of everything, where that is one; else ""."""
        named = analysis.attributes.get("radMeasurementReferences", "").split()
        starts = {self._by_id[one] for one in named if one in self._by_id} or self._foreground or self._all
        return analysis.said("AnalysisStartDateTime") or (next(iter(starts)) if len(starts) == 1 else "")


def _verdict(analysis: Element, start: str, run: str, defects: Defects) -> Iterator[Sample]:
    nuclides = [one for one in analysis.every("Nuclide") if _identified(one)]
    named = [_nuclide(one, defects) for one in _told(nuclides, defects)]
    found = [one for one in named if not _natural(one)]
    categories = dict.fromkeys(
        plain(one.said("RadAlarmCategoryCode"), 40) or "alarm" for one in analysis.every("RadAlarm")
    )
    alarms = defects.first(list(categories), MOST_NAMED, "kinds of alarm")
    peaks = tuple(_peaks(analysis, defects))
    yield Result(
        Outcome.ALARM if found or alarms else _without_finding(analysis, nuclides, defects),
        run,
        peaks=peaks,
        identified=tuple(named),
        note=plain(analysis.said("AnalysisResultDescription", "ThreatDescription")),
        defects=defects.texts,
        device_time=instant_of(start, defects) if start else None,
    )
    for one in found:
        yield from finding("nuclide", one.name, one.name)
    for category in alarms:
        yield from finding("alarm", category, category)


def _told(nuclides: Sequence[Element], defects: Defects) -> Sequence[Element]:
    """Those of them that have a name; where they are too many, the natural ones give way."""
    named = [one for one in nuclides if one.said("NuclideName")]
    if len(named) > MOST_NAMED:
        named.sort(key=lambda one: _natural(Identified("", group=_group(one))))
    return defects.first(named, MOST_NAMED, "nuclides")


def _without_finding(analysis: Element, nuclides: Sequence[Element], defects: Defects) -> Outcome:
    """Clear, where it looked for nuclides, did not fail, and found none whose name it does not say."""
    if not all(one.said("NuclideName") for one in nuclides):
        defects.add("a nuclide without a name")
        return Outcome.INCONCLUSIVE
    failed = any(status.text in _FAILED for status in analysis.all("AnalysisResultStatusCode"))
    looked = any(analysis.first(one) for one in _ANALYSES)
    return Outcome.CLEAR if looked and not failed else Outcome.INCONCLUSIVE


def _identified(nuclide: Element) -> bool:
    said = [one.text for one in nuclide.all("NuclideIdentifiedIndicator")]
    return not said or any(text not in _NO for text in said)


def _nuclide(one: Element, defects: Defects) -> Identified:
    return Identified(plain(one.said("NuclideName"), 40), _confidence(one, defects), _group(one))


def _group(nuclide: Element) -> str:
    for name in ("NuclideCategoryDescription", "NuclideType"):
        said = [plain(one.text, 40) for one in nuclide.all(name)]
        if said:
            return next((text for text in said if not text.casefold().startswith(_NATURAL)), said[0])
    return ""


def _natural(one: Identified) -> bool:
    """Whether the instrument itself calls it naturally occurring radioactive material."""
    return one.group.casefold().startswith(_NATURAL)


def _confidence(nuclide: Element, defects: Defects) -> float | None:
    """From 0 to 1. What is above may be per cent or a scale of the maker's own: it is told, and not converted."""
    text = nuclide.said("NuclideIDConfidenceValue", "NuclideIDConfidenceIndication")
    value = number(text)
    if text and (value is None or not 0 <= value <= 1):
        defects.add(f"confidence {plain(text, 20)} of {plain(nuclide.said('NuclideName'), 40)} is not 0 to 1")
        return None
    return value


def _peaks(analysis: Element, defects: Defects) -> Iterator[Peak]:
    for one in defects.first(list(analysis.every("SpectrumPeak")), MOST_NAMED, "peaks"):
        energy, area = number(one.said("SpectrumPeakEnergyValue")), number(one.said("SpectrumPeakNetAreaValue"))
        if energy is None:
            defects.add("a peak without an energy")
        else:
            name = plain(one.said("SpectrumPeakNuclideName"), 40)
            yield Peak(name, energy, Unit.KILOELECTRONVOLT, area or 0.0)
