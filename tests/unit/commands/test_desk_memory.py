"""What the desk remembers: nothing that was never begun, and each end, also after a restart."""

from devicehub.commands.memory import Memory, recalled
from tests.unit.commands.office import office


async def test_refused_commands_keep_nobody_out() -> None:
    async with office() as here:
        here.desk._memory = Memory(capacity=3)
        for number in range(20):
            here.take("launch", f"r-{number}", seconds=3000)
        await here.clock.sleep(1)
        here.take("work", "c-1")
        await here.clock.sleep(2)
        assert [state for _, state, _ in here.states("r-19")] == ["rejected"]
        assert [state for _, state, _ in here.states("c-1")] == ["accepted", "done"]


async def test_only_commands_that_can_come_again_fill_the_memory_and_they_do_so_until_their_deadline() -> None:
    async with office() as here:
        here.desk._memory = Memory(capacity=3)
        for name in ("a", "b", "c", "d"):
            here.take("work", name, seconds=10)
        await here.clock.sleep(5)
        assert [state for _, state, _ in here.states("d")] == ["rejected"]
        assert "that may still come again" in here.states("d")[0][2]
        await here.clock.sleep(6)
        here.take("work", "d")
        await here.clock.sleep(2)
        assert here.begun == ["a", "b", "c", "d"]


async def test_after_a_restart_a_command_that_others_used_the_id_of_is_told_to_have_failed() -> None:
    async with office() as here:
        here.seconds = 4.0
        here.take("work", "c-1", seconds=1)
        await here.clock.sleep(0.5)
        here.take("break", "c-1", seconds=30)
        await here.clock.sleep(1)
        here.take("work", "c-1", seconds=-1)
        await here.clock.sleep(1)
        assert [state for _, state, _ in here.states("c-1")] == ["accepted", "rejected", "rejected"]
        known = recalled(here.records(), here.clock.stamp())
    async with office() as after:
        await after.desk.resume(known)
        assert [state for _, state, _ in after.states("c-1")] == ["failed"]
        assert recalled([*here.records()[:3], *after.records()], here.clock.stamp())[0].state == "failed"


async def test_after_a_restart_each_end_is_known_and_no_reason_grows_when_it_is_given_again() -> None:
    async with office() as here:
        here.take("work", "c-1", seconds=100)
        here.take("refuse", "c-2", seconds=100)
        await here.clock.sleep(2)
        for _ in range(2):
            here.take("refuse", "c-2", seconds=100)
            await here.clock.sleep(1)
        known = recalled(here.records(), here.clock.stamp())
    assert {one.request.id: (one.state, one.why) for one in known} == {
        "c-1": ("done", ""),
        "c-2": ("rejected", "not today"),
    }
    async with office() as after:
        await after.desk.resume(known)
        after.take("refuse", "c-2")
        await after.clock.sleep(1)
        assert [(state, why) for _, state, why in after.states("c-2")] == [("rejected", "given before; not today")]


async def test_no_state_is_answered_before_it_is_on_record() -> None:
    async with office() as here:
        here.take("work", "c-1")
        await here.clock.sleep(0.5)
        here.open_.clear()
        await here.clock.sleep(5)
        assert [state for _, state, _ in here.states("c-1")] == ["accepted"]
        here.open_.set()
        await here.clock.sleep(0)
        assert [state for _, state, _ in here.states("c-1")] == ["accepted", "done"]
