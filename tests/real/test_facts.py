"""Which events of a journal an exercise is judged by: its own, and nothing that really happened."""

from pathlib import Path

import pytest

from devicehub.exercise.facts import journal_facts
from devicehub.exercise.load import place_of
from devicehub.exercise.schema import Scenario
from devicehub.publish.topics import Topics
from tests.real.journals import event, opened
from tests.unit.exercise.test_judge import TITLE

pytestmark = pytest.mark.real


def numbers(state: Path, *within: str) -> list[object]:
    return [fact.data["what"] for fact in journal_facts(state, *within)]


async def test_nothing_real_and_no_other_exercise_counts(tmp_path: Path) -> None:
    for number, (site, exercise) in enumerate([("night", True), ("site", False), ("swab", True)]):
        async with opened(tmp_path, site, exercise=exercise) as journal:
            await journal.append([event(number)])
    assert numbers(tmp_path) == ["0", "2"]
    assert numbers(tmp_path, Topics("swab", "node", exercise=True).prefix) == ["2"]


def test_an_exercise_has_a_place_of_its_own() -> None:
    head = {"id": "night", "title": TITLE}
    device = [{"id": "cam", "driver": "thermal.gy_mcu90640"}]
    scenario = Scenario.model_validate({"scenario": head, "device": device, "at": [{"t": "00:10", "do": "end"}]})
    assert place_of(scenario) == "devicehub-sim/v1/exercise/night"
