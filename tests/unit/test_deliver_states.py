"""States on a connection that comes and goes: what a broker ends with is the newest that was said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from devicehub.deliver.stage import RECONNECT_MOST
from devicehub.model.errors import DeliveryError
from devicehub.model.payload import AlarmData
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing, Publisher
from tests.real.journals import RAISED, TOPICS, alarm_state
from tests.unit.delivery import Post, delivering, state
from tests.virtual_loop import VirtualTimeLoop

STANDING = f"{TOPICS.prefix}/alarm/trace-1/tnt"


async def test_of_two_versions_in_flight_when_the_broker_goes_the_newest_is_there_in_the_end(tmp_path: Path) -> None:
    for taken in range(3):
        async with delivering(tmp_path, MemoryBroker(delay=lambda _: 1.0)) as (post, *_):
            await post.clock.sleep(1)
            for payload in (b"1", b"2"):
                post.board.post(state("a", payload))
                await post.clock.sleep(0.1)
            post.broker.outage(taken=taken)
            post.broker.restore()
            await post.clock.sleep(RECONNECT_MOST + 5)
            assert post.broker.retained["a"].payload == b"2", taken


async def test_pictures_in_flight_when_the_broker_goes_count_as_dropped(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 1.0)) as (post, *_):
        await post.clock.sleep(1)
        for number in range(3):
            post.board.post(state(f"frame-{number}", retain=False))
        post.board.post(state("a"))
        await post.clock.sleep(0.1)
        post.broker.outage()
        await post.clock.sleep(5)
        assert post.board.dropped == 3


async def test_pictures_that_meet_a_broken_connection_count_as_dropped(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.clock.sleep(1)
        for number in range(3):
            post.board.post(state(f"frame-{number}", retain=False))
        post.broker.outage()
        post.broker.restore()
        await post.clock.sleep(5)
        assert (post.board.dropped, len(post.broker.log)) == (3, 0)


class _Busy(MemoryBroker):
    """Cannot take one message now, and says so on a connection that lives on."""

    busy = True

    @asynccontextmanager
    async def connect(self, will: Outgoing | None = None) -> AsyncIterator[Publisher]:
        async with super().connect(will) as publisher:
            yield _Hesitant(self, publisher)


class _Hesitant:
    def __init__(self, broker: _Busy, publisher: Publisher) -> None:
        self._broker = broker
        self._publisher = publisher
        self.delivery = publisher.delivery
        self.lost = publisher.lost
        self.subscribe = publisher.subscribe
        self.incoming = publisher.incoming
        self.dropped = publisher.dropped
        self.unheard = publisher.unheard

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        if not self._broker.busy or out.id != "busy":
            return self._publisher.submit(out)
        self._broker.busy = False
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(DeliveryError("quota exceeded"))
        return future


async def test_what_a_broker_cannot_take_now_is_sent_on_another_connection_or_counted(tmp_path: Path) -> None:
    for retain in (True, False):
        async with delivering(tmp_path, _Busy()) as (post, *_):
            await post.clock.sleep(1)
            post.board.post(structs.replace(state("a", retain=retain), id="busy"))
            await post.clock.sleep(RECONNECT_MOST)
            assert len(post.connections) == 2
            assert ([out.topic for _, out in post.broker.log], post.board.dropped) == (
                (["a"], 0) if retain else ([], 1)
            )
            assert post.gauges.refused == 0


async def test_an_answer_that_was_there_before_the_connection_was_lost_is_no_loss(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 1.0)) as (post, *_):
        await post.clock.sleep(1)
        post.board.post(state("slow"))
        post.board.post(state("frame", retain=False, qos=0))
        await post.clock.sleep(0.1)
        post.broker.outage()
        await post.clock.sleep(5)
        assert post.board.dropped == 0


acts = st.one_of(
    st.tuples(st.just("post"), st.integers(0, 3)),
    st.tuples(st.just("outage"), st.integers(0, 5)),
    st.tuples(st.just("restore"), st.just(0)),
    st.tuples(st.just("answer"), st.sampled_from([0, 1, 300, 3000, 20000])),
    st.tuples(st.just("wait"), st.sampled_from([1, 100, 1000, 5000])),
)


async def _act(post: Post, pace: dict[str, float], newest: dict[str, bytes], what: str, amount: int) -> None:
    match what:
        case "post":
            payload = str(sum(map(int, newest.values())) + 1).encode()
            newest[f"t{amount}"] = payload
            post.board.post(state(f"t{amount}", payload))
        case "outage":
            post.broker.outage(taken=amount)
        case "restore":
            post.broker.restore()
        case "answer":
            pace["delay"] = amount / 1000
        case _:
            await post.clock.sleep(amount / 1000)


async def _live(folder: Path, script: list[tuple[str, int]], seed: int) -> None:
    pace, newest = {"delay": 0.0}, dict[str, bytes]()
    broker = MemoryBroker(delay=lambda _: pace["delay"])
    async with delivering(folder, broker, seed=seed) as (post, *_):
        for what, amount in script:
            await _act(post, pace, newest, what, amount)
        pace["delay"] = 0.01
        broker.restore()
        await post.clock.sleep(60)
        assert {topic: out.payload for topic, out in broker.retained.items()} == newest


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=30), st.integers(0, 100))
def test_after_any_outages_the_broker_has_the_newest_of_every_topic(script: list[tuple[str, int]], seed: int) -> None:
    with TemporaryDirectory() as folder, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_live(Path(folder), script, seed))


async def _say(post: Post, *states: AlarmData | None) -> None:
    for data in states:
        await post.journal.append([alarm_state("tnt", data)])


async def test_a_broker_that_forgot_a_standing_alarm_is_told_again(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await _say(post, RAISED)
        await post.clock.sleep(1)
        post.broker.outage()
        post.broker.forget()
        await post.clock.sleep(5)
        post.broker.restore()
        await post.clock.sleep(RECONNECT_MOST)
        assert list(post.broker.retained) == [STANDING]


async def test_a_broker_that_forgot_is_told_by_the_next_run_too(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await _say(post, RAISED)
        await post.clock.sleep(1)
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.clock.sleep(1)
        assert list(post.broker.retained) == [STANDING]


async def test_an_alarm_that_ended_while_the_broker_was_away_does_not_stand_again(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await _say(post, RAISED)
        await post.clock.sleep(1)
        post.broker.outage()
        await _say(post, None)
        post.broker.restore()
        await post.clock.sleep(RECONNECT_MOST)
        assert dict(post.broker.retained) == {}
        post.broker.outage()
        post.broker.restore()
        count = len(post.broker.log)
        await post.clock.sleep(RECONNECT_MOST)
        assert len(post.broker.log) == count, "what ended is not said again"


async def test_an_alarm_that_no_broker_heard_of_comes_once_and_before_the_bulk(tmp_path: Path) -> None:
    down = MemoryBroker()
    down.outage()
    async with delivering(tmp_path, down) as (post, *_):
        await post.append(2)
        await _say(post, RAISED)
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.clock.sleep(1)
        assert [out.topic.split("/")[4] for _, out in post.broker.log] == ["alarm", "event", "event"]
