"""The desk alone: acts that are slow, broken or refuse, a clock that may be wrong, a disk that takes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from devicehub.clock import Clock
from devicehub.commands.desk import RUNNING_MOST, Desk, Surroundings
from devicehub.commands.judging import Scene
from devicehub.commands.memory import Known, Memory, recalled
from devicehub.commands.request import Request
from devicehub.commands.verbs import CommandError, Result, Verbs
from devicehub.driver import Command, Options
from devicehub.model.command import CommandState
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnswerData, CommandEventData
from devicehub.publish.envelope import Encoder
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics

EPOCH = 1_795_500_000.0
TOPICS = Topics("bcp", "ws-1", exercise=False)
ENCODER = Encoder("bcp", "ws-1", boot="b", exercise=False)


class Office:
    """A desk with verbs of a test's own. `open_`: whether the disk takes what is said."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.clock = Clock(utc=lambda: EPOCH + loop.time(), seed=1)
        self.said: list[tuple[float, Message]] = []
        self.remarks: list[tuple[str, str]] = []
        self.begun: list[str] = []
        self.synchronised: bool | None = None
        self.open_ = asyncio.Event()
        self.open_.set()
        verbs = Verbs()
        for verb, act in (("work", self._work), ("break", self._break), ("refuse", self._refuse)):
            verbs.add(Command(verb=verb, title=verb, timeout=5.0), act)
        around = Surroundings(
            topics=TOPICS,
            scene=Scene(verbs, lambda _: None),
            accept=self._accept,
            remark=lambda what, why: self.remarks.append((what, why)),
            ids=self.clock.ulid,
            synchronised=lambda: self.synchronised,
        )
        self.desk = Desk(around, self.clock)
        self.seconds = 1.0

    async def _accept(self, messages: Sequence[Message]) -> None:
        await self.open_.wait()
        self.said += [(self.clock.monotonic(), message) for message in messages]

    async def _work(self, args: Options, request: Request) -> Result:
        self.begun.append(request.id)
        await self.clock.sleep(self.seconds)
        return {"worked": self.seconds}

    async def _break(self, args: Options, request: Request) -> Result:
        raise ZeroDivisionError("a bug")

    async def _refuse(self, args: Options, request: Request) -> Result:
        raise CommandError("not today", CommandState.REJECTED)

    def take(self, verb: str, name: str, seconds: float = 10.0) -> None:
        body = {"id": name, "issuer": "op", "deadline": instant(self.clock.utc() + seconds)}
        self.desk.take(Incoming(f"{TOPICS.prefix}/cmd/hub/{verb}", json.dumps(body).encode(), retain=False))

    def records(self) -> list[bytes]:
        """The audit records, as they are in the journal."""
        return [ENCODER.encode(message) for _, message in self.said if isinstance(message.data, CommandEventData)]

    def states(self, name: str) -> list[tuple[float, str, str]]:
        """When what was answered to a command."""
        answers = [(at, message.data) for at, message in self.said if message.kind is Kind.RES]
        return [
            (at, str(data.state), data.why)
            for at, data in answers
            if isinstance(data, AnswerData) and data.command == name
        ]


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    here = Office()
    running = asyncio.create_task(here.desk.run())
    yield here
    here.desk.close()
    await running


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
