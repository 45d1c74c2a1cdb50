"""The desk alone: acts that are slow, broken or refuse, a clock that may be wrong, a disk that takes nothing."""

import asyncio

import pytest

from devicehub.commands.desk import RUNNING_MOST
from devicehub.commands.memory import Known
from devicehub.commands.request import Request
from devicehub.commands.verbs import Result, Verbs
from devicehub.driver import Command, Options
from devicehub.model.command import CommandState
from devicehub.model.message import Kind
from devicehub.model.payload import CommandEventData
from devicehub.publish.port import Incoming
from tests.unit.commands.office import EPOCH, TOPICS, Office, office


async def test_a_command_is_on_record_before_it_is_begun_and_ends_with_its_result() -> None:
    async with office() as here:
        here.take("work", "c-1")
        await here.clock.sleep(2)
        assert here.states("c-1") == [(0.0, "accepted", ""), (1.0, "done", "")]
        kinds = [message.kind for _, message in here.said]
        assert kinds == [Kind.EVENT, Kind.RES, Kind.EVENT, Kind.RES]


async def test_a_bug_in_an_act_is_a_failure_of_that_command_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with office() as here:
        here.take("break", "c-1")
        here.take("work", "c-2")
        await here.clock.sleep(2)
        assert here.states("c-1")[-1] == (0.0, "failed", "ZeroDivisionError: a bug")
        assert here.states("c-2")[-1][1] == "done"
    assert any(record.exc_info for record in caplog.records)


async def test_an_act_may_refuse() -> None:
    async with office() as here:
        here.take("refuse", "c-1")
        await here.clock.sleep(1)
        assert here.states("c-1")[-1][1:] == ("rejected", "not today")


async def test_one_that_takes_too_long_has_timed_out_and_goes_on_undisturbed() -> None:
    async with office() as here:
        here.seconds = 8.0
        here.take("work", "c-1")
        await here.clock.sleep(20)
        (_, (at, state, why)) = here.states("c-1")
        assert (at, state, why) == (5.0, "timeout", "not finished within 5 s; it may still be under way")


async def test_what_could_not_be_recorded_in_time_is_not_begun() -> None:
    async with office() as here:
        here.open_.clear()
        here.take("work", "c-1", seconds=10)
        await here.clock.sleep(60)
        assert here.begun == []
        here.open_.set()
        await here.clock.sleep(1)
        assert [state for _, state, _ in here.states("c-1")] == ["accepted", "timeout"]
        assert here.begun == []


async def test_a_wall_clock_that_is_set_meanwhile_changes_nothing() -> None:
    async with office() as here:
        here.open_.clear()
        here.take("work", "c-1", seconds=10)
        await here.clock.sleep(5)
        here.clock._utc = lambda: EPOCH + 86_400.0
        here.open_.set()
        await here.clock.sleep(2)
        assert here.states("c-1")[-1][1] == "done"
        here.clock._utc = lambda: EPOCH - 86_400.0
        here.take("work", "c-1", seconds=100)
        await here.clock.sleep(2)
        assert here.states("c-1")[-1][1:] == ("done", "given before")
        assert here.begun == ["c-1"]


async def test_a_clock_that_is_known_not_to_be_right_is_named() -> None:
    async with office() as here:
        here.synchronised = False
        here.take("work", "c-1")
        here.take("work", "c-2", seconds=-5)
        await here.clock.sleep(2)
        assert here.states("c-1")[0][2] == "the hub's clock is not synchronised"
        assert here.states("c-2")[0][2].endswith("; the hub's clock is not synchronised")


async def test_so_many_are_under_way_and_no_more_and_a_refused_one_may_come_again() -> None:
    async with office() as here:
        here.seconds = 4.0
        for number in range(RUNNING_MOST + 1):
            here.take("work", f"c-{number}")
        await here.clock.sleep(1)
        assert here.states(f"c-{RUNNING_MOST}")[0][1:] == (
            "rejected",
            f"too many commands: {RUNNING_MOST} are under way",
        )
        await here.clock.sleep(5)
        here.take("work", f"c-{RUNNING_MOST}")
        await here.clock.sleep(5)
        assert here.states(f"c-{RUNNING_MOST}")[-1][1] == "done"


async def test_a_flood_is_counted_and_told_once_a_second() -> None:
    async with office() as here:
        for _ in range(30):
            for _ in range(20):
                here.desk.take(Incoming(f"{TOPICS.prefix}/cmd/hub/work", b"junk", retain=False))
            await here.clock.sleep(0.1)
        await here.clock.sleep(2)
        records = [message for _, message in here.said if isinstance(message.data, CommandEventData)]
    dropped = sum(int(why.split()[0]) for _, why in here.remarks)
    assert (len(records) + dropped, {what for what, _ in here.remarks}) == (600, {"commands-dropped"})
    assert len(here.remarks) <= 5
    assert len(records) <= 50 + 30 + 1


async def test_what_died_with_an_earlier_run_is_told_to_have_failed_and_is_not_done_again() -> None:
    async with office() as here:
        asked = Request("c-1", "op", "hub", "work", 0.0)
        await here.desk.resume([Known(asked, CommandState.ACCEPTED, until=3600.0)])
        here.take("work", "c-1")
        await here.clock.sleep(1)
        assert [state for _, state, _ in here.states("c-1")] == ["failed", "failed"]
        assert here.begun == []


async def test_closing_waits_for_what_is_under_way_and_being_cancelled_ends_it() -> None:
    async with office() as here:
        here.take("work", "c-1")
        await here.clock.sleep(0.5)
    assert here.states("c-1")[-1][1] == "done"
    other = Office()
    running = asyncio.create_task(other.desk.run())
    other.seconds = 100.0
    other.take("work", "c-2")
    await other.clock.sleep(0.5)
    running.cancel()
    (ended,) = await asyncio.gather(running, return_exceptions=True)
    await other.clock.sleep(0)
    await other.clock.sleep(0)
    assert isinstance(ended, asyncio.CancelledError)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_verb_is_registered_once() -> None:
    verbs = Verbs()

    async def act(args: Options, request: Request) -> Result:
        return {}

    verbs.add(Command(verb="b", title="b"), act)
    verbs.add(Command(verb="a", title="a"), act)
    assert [command.verb for command in verbs.commands()] == ["a", "b"]
    with pytest.raises(ValueError, match="registered twice"):
        verbs.add(Command(verb="a", title="a"), act)
