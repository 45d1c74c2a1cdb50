"""What goes with each plasmagram of the reference trace detector, so that a hub can judge it."""

import pytest

from devicehub.model.reading import Result, Spectrum
from tests.drivers.ims_reference_bench import Bench


def test_a_plasmagram_says_which_run_it_is_of_and_what_its_tube_and_calibrant_are() -> None:
    bench = Bench().warmed()
    bench.run(11)
    blanks = bench.seen(Spectrum)
    assert {(scan.run, scan.index, scan.idle) for scan in blanks} == {("", None, True)}
    scans, (result,) = bench.forget().swab().seen(Spectrum), bench.seen(Result)
    scans = [scan for scan in scans if not scan.idle]
    assert [(scan.run, scan.index) for scan in scans] == [(result.sample_id, index) for index in range(20)]
    assert result.scans == 20
    negative, positive = (scan.drift for scan in scans[:2])
    assert negative is not None
    assert positive is not None
    assert (negative.calibrant, negative.calibrant_k0, negative.length_cm, negative.voltage) == (
        "4-nitrobenzonitrile",
        1.652,
        6.0,
        1400.0,
    )
    assert (positive.calibrant, positive.calibrant_k0) == ("nicotinamide", 1.86)
    assert negative.kelvin == pytest.approx(383, abs=0.1)
    assert negative.hectopascal == pytest.approx(1008, abs=2.1)
