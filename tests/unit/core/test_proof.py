"""Once a tick a synthetic value goes beyond a limit and comes back, through the engine that judges everything else."""

from math import inf

from devicehub.core import Core, Setting
from devicehub.core.proof import LIMIT, with_proof
from devicehub.model.message import Kind
from devicehub.model.reading import Tick
from tests.unit.core.bench import HIGH, LOW, at, core, driver, ids, level


def test_a_tick_proves_itself_and_says_nothing() -> None:
    one = core(HIGH)
    told = one.step([Tick(at(1))])
    assert (told.proven, told.messages) == (at(1), [])
    assert one.step([Tick(at(2))]).proven == at(2)


def test_what_the_devices_say_in_the_same_step_is_judged_as_ever() -> None:
    told = core(HIGH, LOW).step([level(11.0, 1), Tick(at(1)), level(0.0, 1.5)])
    raised = [message.type for message in told.messages if message.kind is Kind.EVENT]
    assert (told.proven, raised) == (at(1), ["alarm.raised", "alarm.returned"])


def test_a_large_step_proves_itself_as_well() -> None:
    many = [level(1.0 + number % 3, 1 + number / 1000) for number in range(1000)]
    assert core(HIGH, LOW).step([*many[:500], Tick(at(1.5)), *many[500:]]).proven == at(1.5)


def test_an_engine_that_judges_no_more_proves_nothing() -> None:
    one = core(HIGH)
    assert one.step([Tick(at(1))]).proven == at(1)
    state = one.alarms.engine._state
    state.catch_up() if state.behind else None
    state.ceiling[:] = [inf] * len(state.ceiling)
    assert one.step([Tick(at(2)), level(1000.0, 2)]).proven == at(1), "the last one that came out"


def test_other_limits_go_on_proving() -> None:
    setting = Setting(devices={"dev": driver()}, limits=[HIGH], ids=ids())
    one = Core(setting)
    one.step([Tick(at(1))])
    one.revise(Setting(devices={"dev": driver()}, limits=[LOW, HIGH], ids=ids()), (), at(2))
    assert one.step([Tick(at(3))]).proven == at(3)


def test_nobody_can_act_on_its_alarm_point() -> None:
    assert (LIMIT.device, LIMIT.name) not in core(HIGH).alarms._limits
    assert with_proof([HIGH]) == [HIGH, LIMIT]
