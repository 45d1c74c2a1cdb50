"""Plasmagram and spectrum at the page: peaks with their names, windows where they were looked for."""

import re
from pathlib import Path

import pytest

from devicehub.config.resources import shipped
from tests.page.browsing import exercised, needs_browser, visited

pytestmark = [pytest.mark.real, needs_browser]

TITLE = 'title = { en = "Lesson", sq = "Mësim", sr-Latn = "Čas", sr-Cyrl = "Час" }'
TRACE = f"""
[scenario]
id = "lesson"
{TITLE}

[[device]]
id = "trace-1"
driver = "trace.ims_reference"
mobility = {{ library = "{shipped("substances")}/training.toml" }}
model = {{ warm = {{ seconds = 2 }} }}

[[at]]
t = "00:15"
do = "sample"
device = "trace-1"
substance = "TNT"
mass_ng = 20.0

[[at]]
t = "20:00"
do = "end"
"""
GAMMA = """
[[device]]
id = "gamma-1"
driver = "radiation.n42"
folder = "exports"
"""
N42 = """<RadInstrumentData><EnergyCalibration id="E1"><CoefficientValues>0 12 0</CoefficientValues></EnergyCalibration>
<RadMeasurement id="M1"><MeasurementClassCode>Foreground</MeasurementClassCode>
<StartDateTime>2026-11-30T09:14:00Z</StartDateTime><RealTimeDuration>PT10S</RealTimeDuration>
<Spectrum energyCalibrationReference="E1"><LiveTimeDuration>PT9S</LiveTimeDuration><ChannelData>{counts}</ChannelData>
</Spectrum></RadMeasurement><AnalysisResults><AnalysisResultStatusCode>Success</AnalysisResultStatusCode>
<SpectrumPeakAnalysisResults>{peaks}</SpectrumPeakAnalysisResults></AnalysisResults></RadInstrumentData>"""
PEAK = "<SpectrumPeak><SpectrumPeakEnergyValue>{energy}</SpectrumPeakEnergyValue>{name}</SpectrumPeak>"
COLUMNS = """(canvas, name) => {
  const wanted = getComputedStyle(canvas).getPropertyValue(name).match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Map();
  for (let place = 0; place < data.length; place += 4) {
    if (data[place + 3] === 255 && wanted.every((part, index) => data[place + index] === part)) {
      const column = (place / 4) % width;
      found.set(column, (found.get(column) ?? 0) + 1);
    }
  }
  return [...found].filter(([, count]) => count > height / 2).map(([column]) => column);
}"""
"""Columns of a plot that are filled with a colour for more than half its height."""


async def test_the_peak_that_was_found_is_named_in_the_window_in_which_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "lesson.toml").write_text(TRACE)
    async with exercised(tmp_path, "lesson.toml", "--stay", "--speed", "3") as (trainee, _):
        await trainee.page.evaluate("location.hash = '#/devices/trace-1'")
        await trainee.sees(".spectrum-told", "Windows: ")
        told = await trainee.sees(".spectrum-told", "TNT (ALARM)")
        window = re.search(r"TNT \[M-H\]- ([\d.]+)\N{EN DASH}([\d.]+) ms", told.partition("Windows: ")[2])
        assert window, "each window by its place, so that the bars are told apart"
        assert 0 < float(window[1]) < float(window[2]) < float(window[1]) + 2
        plots = trainee.page.locator("section[aria-labelledby=device-channels] div:has(> .spectrum-told)")
        found = plots.filter(has_text="TNT (ALARM)")
        assert "negative \N{MIDDLE DOT} run" in await found.locator("strong").inner_text()
        assert await found.locator("canvas").evaluate(COLUMNS, "--critical"), "in the colour of an alarm"
        others = plots.filter(has_not_text="TNT (ALARM)")
        assert await others.count() > 0
        for one in await others.all():
            assert await one.locator("canvas").evaluate(COLUMNS, "--critical") == [], (
                "on no scan of another run or mode"
            )


async def test_the_lines_of_a_nuclide_are_named_in_its_spectrum_and_one_without_a_name_by_its_energy(
    tmp_path: Path,
) -> None:
    (tmp_path / "exports").mkdir()
    counts = " ".join(str(40 + 900 * (channel == 55)) for channel in range(200))
    caesium = PEAK.format(energy=661.7, name="<SpectrumPeakNuclideName>Cs-137</SpectrumPeakNuclideName>")
    async with visited(tmp_path, GAMMA) as visit:
        await visit.page.evaluate("location.hash = '#/devices/gamma-1'")
        await visit.sees("section[aria-labelledby=device-facts] dd", "ready")
        text = N42.format(counts=counts, peaks=caesium + PEAK.format(energy=1460.8, name=""))
        (tmp_path / "exports" / "a.n42").write_text(text)
        assert await visit.sees(".spectrum-told", "Peaks: ") == "Peaks: Cs-137, 1,460.8 keV"
        left, right = [660, 1461]
        width = await visit.page.locator("canvas.spectrum").evaluate("one => one.width")
        places = [48 + (energy / (199 * 12)) * (width - 56) for energy in (left, right)]
        columns = await visit.page.locator("canvas.spectrum").evaluate(COLUMNS, "--ink")
        assert [any(abs(column - place) < 4 for column in columns) for place in places] == [True, True]
