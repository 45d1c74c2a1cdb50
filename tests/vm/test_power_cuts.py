"""The power of a whole machine goes, again and again: what its journal accepted is there when it starts the next time.

Everything between the journal and the disk is real, the file system's own recovery too; the disk forgets what it was
not told to flush. The instants that one machine cannot be cut at are those of tests/torture/test_power_cuts.py.
"""

from pathlib import Path
from random import Random

import pytest

from tests.torture.shim import MORE, judgement
from tests.vm.kernel import UnavailableError
from tests.vm.station import Cut, Station

pytestmark = pytest.mark.vm

CUTS = 2 * MORE


@pytest.fixture
def station(tmp_path: Path) -> Station:
    try:
        return Station(tmp_path)
    except UnavailableError as error:
        pytest.skip(f"NO POWER CUT OF A MACHINE: {error}")


async def test_a_power_cut_of_a_machine_loses_nothing_that_was_accepted_unless_commits_are_not_forced(
    station: Station,
) -> None:
    random, faults = Random(21), []
    station.cut(Cut.any(random), random)
    for number in range(1, CUTS + 1):
        told, last = station.said.copy(), number == CUTS
        cut = Cut(400, -1, 0.0) if last else Cut.any(random)
        files = station.cut(cut, random, sabotage="normal" if last else "")
        verdict = await judgement(files, told)
        print(f"cut {number}: {verdict.events} events accepted, {len(verdict.lost)} lost")
        faults += [] if verdict.good else [f"cut {number}: lost {verdict.lost[:5]} {verdict.faults}"]
    assert faults == []
    verdict = await judgement(station.found(), station.said)
    print(f"not forced: {verdict.events} events accepted, {len(verdict.lost)} lost")
    assert verdict.lost
