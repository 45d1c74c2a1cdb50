"""Delivery: everything durable arrives, in order, whatever the broker and the network do."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from devicehub.deliver.stage import DEADLINE, LATE, RECONNECT_FIRST, RECONNECT_MOST
from devicehub.model.gap import GapReason
from devicehub.model.payload import GapData
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from tests.real.journals import NAME
from tests.unit.delivery import delivering, state

REFUSED = GapReason.REFUSED


def numbers(count: int, first: int = 1) -> list[int]:
    return list(range(first, first + count))


async def test_events_arrive_in_order_and_are_acknowledged(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 0.1)) as (post, *_):
        await post.append(25)
        await post.clock.sleep(1)
        assert post.arrived() == numbers(25)
        assert (post.acked, post.gauges.published, post.gauges.connected) == (25, 25, True)
        assert len(post.gauges.latencies) == 25


@pytest.mark.parametrize("window", [1, 2, 7])
async def test_a_full_window_that_is_answered_at_one_instant_stalls_nothing(tmp_path: Path, window: int) -> None:
    """All answers come in one turn of the loop, and nothing else ever wakes the deliverer."""
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 1.0), window=window) as (post, *_):
        await post.append(50)
        await post.clock.sleep(60)
        assert post.arrived() == numbers(50)


async def test_no_more_than_the_window_is_in_flight(tmp_path: Path) -> None:
    flying: list[int] = []

    def submitted(_: Outgoing) -> float:
        flying.append(len(flying))
        return 1.0

    broker = MemoryBroker(delay=submitted)
    async with delivering(tmp_path, broker, window=5) as (post, *_):
        await post.append(23)
        for second in range(8):
            await post.clock.sleep(0.5)
            assert len(flying) <= len(post.arrived()) + 5, second
            await post.clock.sleep(0.5)
        assert post.arrived() == numbers(23)


async def test_lost_acknowledgements_make_duplicates_and_lose_nothing(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 0.5)) as (post, *_):
        await post.append(30)
        await post.clock.sleep(0.6)
        post.broker.outage(taken=4)
        await post.append(5)
        await post.clock.sleep(30)
        post.broker.restore()
        await post.clock.sleep(30)
        assert post.arrived() == numbers(14) + numbers(25, first=11)
        assert post.acked == 35


async def test_what_comes_late_is_marked_as_historical_and_nothing_else_is(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.append(2)
        await post.clock.sleep(1)
        post.broker.outage()
        await post.append(3)
        await post.clock.sleep(LATE - RECONNECT_MOST - 2)
        await post.append(4)
        await post.clock.sleep(RECONNECT_MOST + 3)
        post.broker.restore()
        await post.clock.sleep(RECONNECT_MOST)
        await post.append(1)
        await post.clock.sleep(1)
        assert post.arrived() == numbers(10)
        assert post.late() == {3, 4, 5}


async def test_events_of_an_earlier_run_are_historical(tmp_path: Path) -> None:
    down = MemoryBroker()
    down.outage()
    async with delivering(tmp_path, down) as (post, *_):
        await post.append(3)
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.append(2)
        await post.clock.sleep(1)
        assert (post.arrived(), post.late()) == (numbers(5), {1, 2, 3})


async def test_a_refused_event_is_told_once_and_holds_nobody_up(tmp_path: Path) -> None:
    broker = MemoryBroker(refuse=lambda out: "Not authorized" if out.id.endswith("3") else "")
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(15)
        await post.clock.sleep(1)
        assert post.arrived() == [n for n in numbers(15) if n not in {3, 13}]
        ranges = ((3, 3), (13, 13))
        gap = GapData("events", REFUSED, count=2, first=3, last=13, epoch=post.journal.epoch, ranges=ranges)
        assert await deliver.gaps() == [gap]
        assert (post.acked, post.gauges.refused) == (15, 2)
        post.broker.outage()
        post.broker.restore()
        await post.clock.sleep(60)
        await deliver.close()
        assert await deliver.gaps() == []
        assert len(post.connections) == 2


async def test_a_message_of_the_board_that_is_refused_is_counted_and_makes_no_gap(tmp_path: Path) -> None:
    broker = MemoryBroker(refuse=lambda out: "Not authorized" if out.topic == "state" else "")
    async with delivering(tmp_path, broker) as (post, deliver, _):
        post.board.post(state("state"))
        await post.append(1)
        await post.clock.sleep(1)
        assert (post.gauges.refused, post.arrived()) == (1, [1])
        await deliver.close()
        assert await deliver.gaps() == []


async def test_a_broker_that_does_not_answer_is_left_at_the_deadline(tmp_path: Path) -> None:
    slow = {"delay": 1000.0}
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: slow["delay"])) as (post, *_):
        await post.append(1)
        await post.clock.sleep(DEADLINE - 0.1)
        assert len(post.connections) == 1
        slow["delay"] = 0.0
        await post.clock.sleep(0.1 + RECONNECT_MOST)
        assert len(post.connections) == 2
        assert DEADLINE <= post.connections[1] <= DEADLINE + RECONNECT_MOST
        assert (post.arrived(), post.acked) == ([1], 1)


async def test_retained_messages_are_born_again_on_every_connection(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):
        await post.clock.sleep(1)
        post.board.post(state("a", b"1"))
        post.board.post(state("frame", retain=False, qos=0))
        await post.clock.sleep(1)
        for _ in range(2):
            post.broker.outage()
            post.board.post(state("b", b"2"))
            await post.clock.sleep(5)
            post.broker.restore()
            await post.clock.sleep(RECONNECT_MOST)
        topics = [out.topic for _, out in post.broker.log]
        assert sorted(topics[:2]) == ["a", "frame"]
        assert topics[2:] == ["a", "b", "a", "b"]


async def test_the_end_drains_what_is_there_and_leaves_in_order(tmp_path: Path) -> None:
    will = state("status", b"lost")
    async with delivering(tmp_path, MemoryBroker(delay=lambda _: 0.3), window=3, will=will) as (post, deliver, task):
        await post.append(20)
        post.board.post(state("status", b"offline"))
        deliver.finish()
        await task
        assert post.arrived() == numbers(20)
        assert post.broker.retained["status"].payload == b"offline"


async def test_a_broker_that_is_away_is_asked_with_full_jitter_within_bounds(tmp_path: Path) -> None:
    broker = MemoryBroker()
    broker.outage()
    async with delivering(tmp_path, broker) as (post, *_):
        await post.clock.sleep(600)
        pauses = [after - before for before, after in pairwise(post.attempts)]
    for failures, pause in enumerate(pauses, 1):
        assert 0 <= pause <= min(RECONNECT_MOST, RECONNECT_FIRST * 2**failures)
    late = pauses[10:]
    assert min(late) < RECONNECT_MOST / 4 < 3 * RECONNECT_MOST / 4 < max(late), "anywhere from nothing to the most"


async def test_a_broker_that_breaks_every_connection_at_once_is_not_stormed(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, *_):

        async def break_connections() -> None:
            while True:
                await post.clock.sleep(0.01)
                post.broker.outage()
                post.broker.restore()

        breaking = asyncio.create_task(break_connections())
        await post.clock.sleep(60)
        breaking.cancel()
        late = [at for at in post.attempts if at > 10]
        assert len(late) < 2.5 * 50 / (RECONNECT_MOST / 2)


async def test_a_disk_that_cannot_be_read_for_a_while_ends_nothing(tmp_path: Path) -> None:
    down = MemoryBroker()
    down.outage()
    async with delivering(tmp_path, down) as (post, *_):
        await post.append(5)
    async with delivering(tmp_path, down) as (post, *_):
        _move(tmp_path, tmp_path / "elsewhere")
        down.restore()
        await post.clock.sleep(10)
        assert post.arrived() == []
        _move(tmp_path / "elsewhere", tmp_path)
        await post.clock.sleep(5)
        assert post.arrived() == numbers(5)


def _move(source: Path, target: Path) -> None:
    """The journal's files; whatever had taken their place is gone."""
    target.mkdir(exist_ok=True)
    for path in target.glob(f"{NAME}*"):
        path.unlink()
    for path in source.glob(f"{NAME}*"):
        path.rename(target / path.name)
