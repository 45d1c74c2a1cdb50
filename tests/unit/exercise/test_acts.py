"""What a step does over its time, and what a simulated device is at its power-up."""

from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.exercise.acts import RAMP_EVERY, acts
from devicehub.exercise.load import config_of, modelled
from devicehub.exercise.schema import Scenario, Step
from devicehub.simulator import BleSimulator
from tests.unit.exercise.test_judge import TITLE

SPOT = {"t": "00:10", "do": "hotspot", "device": "cam", "x": 16, "y": 12, "dk": 20.0}


def test_values_of_a_ramp_go_evenly_from_where_they_begin_to_the_end() -> None:
    step = Step.model_validate({**SPOT, "ramp": "5s", "from": {"dk": 0.0}, "for": "8s"})
    first, *course, last = acts(0, step)
    assert (first.at, first.values["dk"], first.aside) == (10.0, 0.0, False)
    assert [act.at for act in course] == [10.0 + RAMP_EVERY * turn for turn in range(1, 11)]
    assert [act.values["dk"] for act in course] == pytest.approx([2.0 * turn for turn in range(1, 11)])
    assert (last.at, last.values["dk"]) == (18.0, 0.0)
    assert all(act.aside for act in [*course, last])


def test_each_act_of_a_path_knows_it() -> None:
    step = Step.model_validate({**SPOT, "path": "worse", "for": "3s"})
    assert {act.path for act in acts(0, step)} == {"worse"}


def test_a_simulator_is_told_its_model_at_each_power_up_and_the_hub_is_told_nothing_of_it(tmp_path: Path) -> None:
    one = Scenario.model_validate(
        {
            "scenario": {"id": "s", "title": TITLE},
            "device": [{"id": "det", "driver": "radiation.atom_fast", "model": {"battery": {"percent": 7}}}],
            "at": [{"t": "00:01", "do": "end"}],
        }
    )
    powered = modelled(one.device[0])
    for seed in (1, 2):
        (_, said), *_ = cast(BleSimulator, powered(Random(seed))).advance(2.0)
        assert said[-2] == 7
    device = config_of(one, tmp_path).device[0]
    assert device.model_dump() == {**device.model_dump(), "port": "sim:"}
    assert "model" not in device.model_dump()
