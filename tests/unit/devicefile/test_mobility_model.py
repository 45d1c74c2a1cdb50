"""The ion-mobility run as a physical model: ions arrive when they must, as wide as they must, and a run has an end."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from devicehub.devicefile.physics.mobility import MobilityRun

STEP = 0.01


def run(k0: float, amount: float, **options: float) -> MobilityRun:
    model = MobilityRun(Random(1), {"step": STEP, "samples": 2500, **options})
    model.do("swab", k0=k0, amount=amount)
    model.advance(2.5)
    return model


@pytest.mark.parametrize(
    ("k0", "milliseconds"), [(1.451, 12.63), (1.387, 13.22), (1.16, 15.80), (1.04, 17.63), (1.86, 9.86)]
)
def test_ions_of_a_known_mobility_arrive_at_the_computed_time(k0: float, milliseconds: float) -> None:
    """A tube of 6 cm, 1400 V, 110 degrees, 1013.25 hPa."""
    model = run(k0, 5000.0, calibrant=2.4)
    assert model.drift_time(k0) == pytest.approx(milliseconds, abs=0.005)
    assert int(np.argmax(model.quantities()["plasmagram"])) * STEP == pytest.approx(milliseconds, abs=0.05)


@pytest.mark.parametrize(("gate", "resolving"), [(0.2, 49), (0.1, 58)])
def test_the_gate_broadens_a_peak(gate: float, resolving: float) -> None:
    counts = run(1.16, 50_000.0, gate=gate, calibrant=2.4).quantities()["plasmagram"]
    width = np.count_nonzero(counts > counts.max() / 2) * STEP
    assert 15.80 / width == pytest.approx(resolving, rel=0.04)


def test_a_run_has_its_scans_and_one_end_and_its_vapour_comes_and_goes() -> None:
    model = MobilityRun(Random(1), {"scans": 20, "period": 0.25, "calibrant": 2.4})
    model.do("swab", k0=1.451, amount=600.0)
    heights, events = [], Counter[str]()
    for _ in range(30):
        events.update(model.advance(0.25))
        heights.append(int(model.quantities()["plasmagram"][200:300].max()))
    assert events == {"scan": 20, "end": 1}
    assert max(heights[7:12]) > 5 * max(heights[0], heights[-1])


def test_a_clean_swab_has_the_calibrant_alone() -> None:
    counts = run(1.451, 0.0).quantities()["plasmagram"]
    assert abs(int(np.argmax(counts)) * STEP - 18.33 / 1.652) < 0.2
    assert counts[int(12.3 / STEP) : int(13.0 / STEP)].max() < 30


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no verb"):
        MobilityRun(Random(1), {}).do("burn")
    with pytest.raises(ValueError, match="no parameter"):
        MobilityRun(Random(1), {"colour": 1})
