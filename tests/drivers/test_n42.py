"""N42.42 files: real exports with the figures of their provenance, both codings, and every way to be wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Cause, DeviceAlarm, Identified, Measurement, Outcome, Quality, Result, Spectrum
from devicehub.wire.defects import Defects
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from devicehub.wire.xml import Element
from drivers.radiation._n42_analysis import MOST_ANALYSES, MOST_NAMED
from drivers.radiation._n42_file import MOST_BYTES
from drivers.radiation._n42_spectra import MOST_CHANNELS, axis, channels
from drivers.radiation.n42 import DRIVER
from tests.drivers.hostile import HANG
from tests.drivers.worked import seconds_of
from tests.samples import sample

FILE = (
    "<RadInstrumentData><RadMeasurement><StartDateTime>{start}</StartDateTime><RealTimeDuration>PT10S</RealTimeDuration>"
    "<Spectrum><LiveTimeDuration>PT9S</LiveTimeDuration><ChannelData>{data}</ChannelData></Spectrum></RadMeasurement>"
    "{more}</RadInstrumentData>"
)


def read(data: bytes, name: str = "a.n42") -> Step:
    return DRIVER.open({}).on_packet(0.0, Packet(data, name))


def written(start: str = "2026-01-01T00:00:00Z", data: str = "1 2 3", more: str = "") -> Step:
    return read(FILE.format(start=start, data=data, more=more).encode())


def spectra(step: Step) -> list[Spectrum]:
    return [one for one in step.samples if isinstance(one, Spectrum)]


def result(step: Step) -> Result:
    (one,) = [one for one in step.samples if isinstance(one, Result)]
    return one


def test_both_codings_of_annex_c_are_one_spectrum_of_256_channels_and_42479_counts() -> None:
    step = read(sample("detect", "n42-annex-c-example.n42"))
    background, foreground = spectra(step)
    assert (background.mode, foreground.mode) == ("background", "foreground")
    assert background.data == foreground.data
    counts = np.frombuffer(background.data, "<u4")
    assert (counts.size, counts.sum()) == (256, 42479)
    assert (background.axis.start, background.axis.step, background.axis.quadratic) == (-21.8, 12.1, 6.55e-3)
    found = result(step)
    assert [(one.name, one.confidence, one.group) for one in found.identified] == [
        ("Cs-137", 0.99, "Industrial"),
        ("K-40", 0.99, "NORM"),
    ]
    assert [peak.position for peak in found.peaks] == [661.7, 1460.9]
    assert found.defects == ()
    assert not step.faults


def test_the_export_of_a_real_identifier_has_its_peak_where_caesium_is_and_each_defect_flagged() -> None:
    step = read(sample("detect", "kromek-d3s-searchmode-cs137.n42"))
    (spectrum,) = spectra(step)
    counts = np.frombuffer(spectrum.data, "<u4")
    apex = 100 + int(counts[100:].argmax())
    assert (counts.size, apex) == (512, 110)
    assert round(spectrum.axis.start + spectrum.axis.step * apex) == 647
    assert (spectrum.live_time, spectrum.quality, spectrum.cause) == (21.02, Quality.UNCERTAIN, Cause.INCONSISTENT)
    found = result(step)
    assert found.outcome is Outcome.ALARM
    assert found.identified == (Identified("Cs-137", None),)
    assert found.defects == (
        "zone '-0500' without a colon",
        "live time 21.02 s > real time 18 s",
        "confidence 100.0 of Cs-137 is not 0 to 1",
    )
    assert spectrum.device_time == found.device_time == 1689009858.0  # 12:24:18 five hours behind UTC
    assert DeviceAlarm("nuclide-cs-137", active=True, text="Cs-137") in step.samples
    (dose,) = [one for one in step.samples if isinstance(one, Measurement) and one.channel == "dose-rate"]
    assert dose.value == 0.1


@pytest.mark.parametrize("text", ["0 0 1", "5 0", "0 1.5 2", "0 -1 2", "1 x 2", "", "nan 1", "0 1e9"])
def test_channel_data_that_do_not_add_up_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        channels(Element("ChannelData", {"compressionCode": "CountedZeroes"}, text=text))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_counted_zeroes_are_undone(counts: list[int]) -> None:
    words, run = [], 0
    for count in [*counts, None]:
        if count == 0:
            run += 1
            continue
        words += [f"0 {run}"] if run else []
        run = 0
        words += [] if count is None else [str(count)]
    element = Element("ChannelData", {"compressionCode": "CountedZeroes"}, text=" ".join(words))
    assert channels(element).tolist() == counts


def test_a_spectrum_that_cannot_be_read_is_a_fault_and_the_rest_counts() -> None:
    step = written(data="1 2 x", more="<AnalysisResults><NuclideAnalysisResults/></AnalysisResults>")
    assert [fault.reason for fault in step.faults] == [Reason.CORRUPT]
    assert "a.n42" in str(step.faults[0])
    assert result(step).outcome is Outcome.CLEAR


@pytest.mark.parametrize(
    ("analysis", "outcome"),
    [
        ("<NuclideAnalysisResults/>", Outcome.CLEAR),
        ("", Outcome.INCONCLUSIVE),
        ("<AnalysisResultStatusCode>Failure</AnalysisResultStatusCode><NuclideAnalysisResults/>", Outcome.INCONCLUSIVE),
        ("<RadAlarm><RadAlarmCategoryCode>Neutron</RadAlarmCategoryCode></RadAlarm>", Outcome.ALARM),
        ("<NuclideAnalysisResults><Nuclide><NuclideName>X</NuclideName></Nuclide></NuclideAnalysisResults>", Outcome.ALARM),
        (
            "<NuclideAnalysis><Nuclide><NuclideIdentifiedIndicator>0</NuclideIdentifiedIndicator><NuclideName>X</NuclideName></Nuclide></NuclideAnalysis>",
            Outcome.CLEAR,
        ),
    ],
)  # fmt: skip
def test_only_an_analysis_that_looked_and_found_nothing_is_clear(analysis: str, outcome: Outcome) -> None:
    assert result(written(more=f"<AnalysisResults>{analysis}</AnalysisResults>")).outcome is outcome


NUCLIDE = "<Nuclide><NuclideName>{}</NuclideName><NuclideCategoryDescription>{}</NuclideCategoryDescription></Nuclide>"


@pytest.mark.parametrize(
    ("nuclides", "outcome", "points"),
    [
        ([("K-40", "NORM")], Outcome.CLEAR, []),
        ([("Ra-226", "Naturally Occurring Radioactive Material")], Outcome.CLEAR, []),
        ([("K-40", "")], Outcome.ALARM, ["nuclide-k-40"]),
        ([("K-40", "NORM"), ("Cs-137", "Industrial")], Outcome.ALARM, ["nuclide-cs-137"]),
        ([("K-40", "Medical")], Outcome.ALARM, ["nuclide-k-40"]),
    ],
)
def test_potassium_is_no_threat_where_the_instrument_itself_calls_it_natural(
    nuclides: list[tuple[str, str]], outcome: Outcome, points: list[str]
) -> None:
    named = "".join(NUCLIDE.format(*one) for one in nuclides)
    step = written(more=f"<AnalysisResults><NuclideAnalysisResults>{named}</NuclideAnalysisResults></AnalysisResults>")
    assert result(step).outcome is outcome
    assert [one.name for one in result(step).identified] == [name for name, _ in nuclides]
    assert [one.point for one in step.samples if isinstance(one, DeviceAlarm) and one.active] == points


def test_natural_material_that_the_instrument_raises_an_alarm_on_is_an_alarm() -> None:
    alarm = "<RadAlarm><RadAlarmCategoryCode>Gamma</RadAlarmCategoryCode></RadAlarm>"
    named = f"<NuclideAnalysisResults>{NUCLIDE.format('K-40', 'NORM')}</NuclideAnalysisResults>"
    step = written(more=f"<AnalysisResults>{alarm}{named}</AnalysisResults>")
    assert result(step).outcome is Outcome.ALARM


def analyses(*contents: str) -> Step:
    return written(more="".join(f"<AnalysisResults>{content}</AnalysisResults>" for content in contents))


def looked(nuclides: str = "") -> str:
    return f"<NuclideAnalysisResults>{nuclides}</NuclideAnalysisResults>"


def raised(step: Step) -> list[str]:
    return [one.point for one in step.samples if isinstance(one, DeviceAlarm) and one.active]


GAMMA = "<RadAlarm><RadAlarmCategoryCode>Gamma</RadAlarmCategoryCode></RadAlarm>"


def test_an_alarm_behind_many_clear_analyses_is_an_alarm() -> None:
    step = analyses(*[looked()] * 32, looked() + GAMMA)
    assert [one.outcome for one in step.samples if isinstance(one, Result)] == [Outcome.CLEAR] * 32 + [Outcome.ALARM]
    assert raised(step) == ["alarm-gamma"]


def test_analyses_that_are_not_told_are_inconclusive_together_and_not_clear() -> None:
    step = analyses(*[looked()] * MOST_ANALYSES, looked() + GAMMA)
    last = [one for one in step.samples if isinstance(one, Result)][-1]
    assert (last.outcome, last.cause) == (Outcome.INCONCLUSIVE, Cause.INCOMPLETE)
    assert last.defects[-1] == f"of {MOST_ANALYSES + 1} analyses {MOST_ANALYSES} are told"


def test_a_nuclide_behind_many_natural_ones_is_an_alarm() -> None:
    natural = "".join(NUCLIDE.format(f"K-{number}", "NORM") for number in range(MOST_NAMED))
    step = analyses(looked(natural + NUCLIDE.format("Cs-137", "Industrial")))
    found = result(step)
    assert (found.outcome, raised(step)) == (Outcome.ALARM, ["nuclide-cs-137"])
    assert found.identified[0].name == "Cs-137"
    assert len(found.identified) == MOST_NAMED
    assert f"of {MOST_NAMED + 1} nuclides {MOST_NAMED} are told" in found.defects


def test_kinds_of_alarm_and_peaks_that_are_not_told_are_counted() -> None:
    kinds = "".join(
        f"<RadAlarm><RadAlarmCategoryCode>A{number % 40}</RadAlarmCategoryCode></RadAlarm>" for number in range(80)
    )
    peaks = "<SpectrumPeak><SpectrumPeakEnergyValue>1</SpectrumPeakEnergyValue></SpectrumPeak>" * 33
    step = analyses(looked() + kinds + peaks)
    assert len(raised(step)) == len(result(step).peaks) == MOST_NAMED
    assert result(step).defects[-2:] == ("of 40 kinds of alarm 32 are told", "of 33 peaks 32 are told")


@pytest.mark.parametrize(
    ("analysis", "outcome"),
    [
        (looked("<Nuclide><NuclideIdentifiedIndicator>true</NuclideIdentifiedIndicator></Nuclide>"), Outcome.INCONCLUSIVE),
        (looked("<Nuclide><NuclideIdentifiedIndicator>false</NuclideIdentifiedIndicator></Nuclide>"), Outcome.CLEAR),
        (looked(NUCLIDE.format("X", "NORM</NuclideCategoryDescription><NuclideCategoryDescription>Industrial")), Outcome.ALARM),
        (looked(NUCLIDE.format("X", "</NuclideCategoryDescription><NuclideIdentifiedIndicator>0</NuclideIdentifiedIndicator>"
            "<NuclideIdentifiedIndicator>1</NuclideIdentifiedIndicator><NuclideCategoryDescription>")), Outcome.ALARM),
        ("<AnalysisResultStatusCode>Success</AnalysisResultStatusCode><AnalysisResultStatusCode>Failure</AnalysisResultStatusCode>"
            + looked(), Outcome.INCONCLUSIVE),
    ],
)  # fmt: skip
def test_what_is_not_said_or_said_twice_is_never_clear(analysis: str, outcome: Outcome) -> None:
    assert result(analyses(analysis)).outcome is outcome


def test_a_file_without_an_analysis_gives_no_result_and_a_time_without_a_zone_no_time() -> None:
    (spectrum,) = written(start="2026-01-01T00:00:00").samples
    assert isinstance(spectrum, Spectrum)
    assert spectrum.device_time is None
    assert spectrum.defects == (
        "'2026-01-01T00:00:00' has no time zone: not taken",
        "no energy calibration: channels have no energy",
    )
    assert (spectrum.quality, spectrum.cause) == (Quality.UNCERTAIN, Cause.UNCALIBRATED)


@pytest.mark.parametrize("text", ["", "1", "0 -3 0", "0 nan", "a b"])
def test_a_calibration_that_is_none_is_a_defect(text: str) -> None:
    defects = Defects()
    assert axis(text, defects) is None
    assert len(defects.texts) == 1


HOSTILE = pytest.mark.parametrize(
    "data",
    [
        b"<RadInstrumentData>" * 10_000,
        b"<RadInstrumentData>" + b"<a/>" * 400_000 + b"</RadInstrumentData>",
        FILE.format(start="x", data="1 " * 900_000, more="").encode(),
        FILE.format(start="x", data="0 60000 " * 2000, more="").replace("<ChannelData>", '<ChannelData compressionCode="CountedZeroes">').encode(),
        FILE.format(start="x", data="1", more="<AnalysisResults>" * 20 + "</AnalysisResults>" * 20).encode(),
        b"<RadInstrumentData><RadMeasurement>" + b"<Spectrum><ChannelData>1 2</ChannelData></Spectrum>" * 6000 + b"</RadMeasurement></RadInstrumentData>",
        b"<RadInstrumentData><RadMeasurement>" + (b"<Spectrum><ChannelData>" + b"1 " * 16_000 + b"</ChannelData></Spectrum>") * 60 + b"</RadMeasurement></RadInstrumentData>",
        b"<RadInstrumentData><RadMeasurement>" + (b"<Spectrum><ChannelData>" + b"1 " * 16_000 + b"x</ChannelData></Spectrum>") * 60 + b"</RadMeasurement></RadInstrumentData>",
        FILE.format(start="x", data="1", more="<AnalysisResults><RadAlarm/></AnalysisResults>" * 9000).encode(),
        FILE.format(start="x", data="1", more=("<AnalysisResults>" + NUCLIDE.format("X", "") * 15 + "</AnalysisResults>") * 400).encode(),
        b"<a " + b"x" * 1_900_000 + b"='1'/>",
        b"<" * 1_900_000,
        b"\xff\xfe" + b"<\0" * 900_000,
        bytes(MOST_BYTES + 1),
    ],
    ids=range(14),
)  # fmt: skip


@pytest.mark.alone
@HOSTILE
def test_no_file_takes_long(data: bytes) -> None:
    assert seconds_of(lambda: read(data)) < HANG


@HOSTILE
def test_no_file_takes_much_memory(data: bytes) -> None:
    step = read(data)
    assert step.faults or step.samples
    assert sum(len(one.data) for one in spectra(step)) <= 64 * 4 * MOST_CHANNELS


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/&;! RadInstrumentData[]='\"\x00\u00b5", max_size=60))
def test_any_text_in_a_file_gives_samples_or_faults(text: str) -> None:
    for data in (FILE.format(start=text, data="1 2", more=text), FILE.format(start="", data=text, more=""), text):
        for coding in ("utf-8", "utf-16", "latin-1"):
            step = read(data.encode(coding))
            assert step.samples or step.faults
