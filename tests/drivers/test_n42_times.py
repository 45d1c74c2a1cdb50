"""When a result of an N42 file is of."""

import pytest

from devicehub.model.reading import Result
from devicehub.wire.packet import Packet
from drivers.radiation.n42 import DRIVER

FIRST = "<RadMeasurement><StartDateTime>2026-01-01T00:00:00Z</StartDateTime></RadMeasurement>"
BACKGROUND = (
    '<RadMeasurement id="b"><MeasurementClassCode>Background</MeasurementClassCode>'
    "<StartDateTime>2026-01-02T00:00:00Z</StartDateTime></RadMeasurement>"
)
FOREGROUND = BACKGROUND.replace("Background", "Foreground").replace('"b"', '"f"').replace("01-02", "01-03")
NEW_YEAR, DAY = 1767225600.0, 86400.0


@pytest.mark.parametrize(
    ("more", "when"),
    [
        ("<AnalysisResults/>", NEW_YEAR),
        ("<AnalysisResults><AnalysisStartDateTime>2026-01-05T00:00:00Z</AnalysisStartDateTime></AnalysisResults>", NEW_YEAR + 4 * DAY),
        (BACKGROUND + "<AnalysisResults/>", None),
        (BACKGROUND + FOREGROUND + "<AnalysisResults/>", NEW_YEAR + 2 * DAY),
        (BACKGROUND + FOREGROUND + '<AnalysisResults radMeasurementReferences="b"/>', NEW_YEAR + DAY),
        (BACKGROUND + FOREGROUND + '<AnalysisResults radMeasurementReferences="b f"/>', None),
    ],
)  # fmt: skip
def test_a_result_is_of_its_analysis_or_of_what_was_measured_if_that_was_once(more: str, when: float | None) -> None:
    file = f'<RadInstrumentData xmlns="http://physics.nist.gov/N42/2011/N42">{FIRST}{more}</RadInstrumentData>'
    step = DRIVER.open({}).on_packet(0.0, Packet(file.encode(), "a.n42"))
    (result,) = (one for one in step.samples if isinstance(one, Result))
    assert result.device_time == when
