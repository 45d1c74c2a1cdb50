"""The hub's delivery and the reference consumer across a journal that was damaged in the middle of what waits."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devicehub.deliver.receipts import STALL
from devicehub.model.gap import GapReason
from devicehub.model.message import Kind, Message
from devicehub.model.payload import StatusData
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.memory import MemoryBroker
from tests.real.damaged import changed
from tests.real.journals import TOPICS, event, opened
from tests.unit.delivery import Post, delivering
from tests.unit.publish.examples import alarm
from tests.unit.test_replay import consuming

FIRST = 5
WAITING = 5
DAMAGED = 6
CONFIRMED = 20.0


@asynccontextmanager
async def hub(folder: Path, broker: MemoryBroker, seed: int = 2) -> AsyncIterator[Post]:
    """A hub's delivery with what it says at its start: its status on every connection, and what was damaged."""
    async with delivering(folder, broker, seed=seed) as (post, *_):
        status = Message(Kind.STATUS, "status", f"{0:026d}", 0.0, 0.0, StatusData("online", epoch=post.journal.epoch))
        encoder = Encoder("site", "node", boot="b", exercise=True)
        post.board.post(outgoing(status, encoder.encode(status), TOPICS))
        gaps = [gap for damage in post.journal.damages for gap in damage.gaps()]
        await post.journal.append([Message(Kind.GAP, "gap", f"{90:026d}", 0.0, 0.0, gap) for gap in gaps])
        post.number = 100
        yield post


async def damaged(folder: Path, broker: MemoryBroker, *, alarms: int = 0) -> str:
    """A hub that delivered 1 to 5, stored 6 to 10 and ended; 6 is damaged. Gives its epoch."""
    async with hub(folder, broker, seed=1) as post:
        await post.journal.append([event(number) for number in range(1, FIRST + 1)])
        await post.clock.sleep(CONFIRMED)
    async with opened(folder) as journal:
        await journal.append([event(FIRST + 1 + number) for number in range(WAITING)])
        await journal.append([raised(number) for number in range(alarms)])
        epoch = journal.epoch
    changed(folder, f"UPDATE event SET payload = x'00' WHERE position = {DAMAGED}")
    return epoch


def raised(number: int) -> Message:
    return Message(Kind.EVENT, "alarm.raised", f"{50 + number:026d}", 0.0, 0.0, alarm(), "trace-1", "tnt")


def stored(path: Path, epoch: str, stream: Stream = Stream.EVENTS) -> list[int]:
    """Numbers of an epoch in the file, in its order."""
    bodies = [json.loads(line) for line in path.read_text().splitlines()]
    return [int(body["sequence"]) for body in bodies if (body["epoch"], body["stream"]) == (epoch, stream)]


def told(path: Path) -> list[tuple[str, str, list[list[int]]]]:
    """Reason, epoch and numbers of each gap in the file."""
    bodies = [json.loads(line) for line in path.read_text().splitlines()]
    gaps = [body["data"] for body in bodies if body["type"] == "io.devicehub.gap"]
    return [(gap["reason"], gap["epoch"], gap["ranges"]) for gap in gaps]


async def test_all_that_is_undamaged_is_stored_once_by_a_consumer_that_stayed_connected(tmp_path: Path) -> None:
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with consuming(out, broker):
        old = await damaged(tmp_path, broker)
        async with hub(tmp_path, broker) as post:
            await post.append(3)
            await post.clock.sleep(CONFIRMED)
            assert post.journal.epoch != old
            assert stored(out, old) == [1, 2, 3, 4, 5, 7, 8, 9, 10]
            assert stored(out, post.journal.epoch) == [1, 2, 3, 4]
            assert told(out) == [(GapReason.DAMAGED, old, [[DAMAGED, DAMAGED]])]


@pytest.mark.parametrize("crash", [True, False], ids=["broker killed", "queue lost"])
async def test_what_was_carried_over_and_lost_by_the_broker_is_sent_again(tmp_path: Path, *, crash: bool) -> None:
    """It acknowledges everything and hands out nothing for a while. Of the alarms there is no new one."""
    lost = {"on": False}
    broker = MemoryBroker(withhold=lambda topic: lost["on"] and ("/event/" in topic or "/gap/" in topic))
    out = tmp_path / "out.jsonl"
    async with consuming(out, broker):
        old = await damaged(tmp_path, broker, alarms=3)
        lost["on"] = True
        async with hub(tmp_path, broker) as post:
            await post.clock.sleep(STALL / 2)
            assert all(post.journal.acked[stream].position >= 10 for stream in (Stream.ALARMS, Stream.EVENTS))
            if crash:
                broker.outage()
                broker.restore()
            lost["on"] = False
            await post.clock.sleep(CONFIRMED)
            assert stored(out, old) == [1, 2, 3, 4, 5, 7, 8, 9, 10]
            assert stored(out, old, Stream.ALARMS) == [1, 2, 3]
            assert stored(out, post.journal.epoch) == [1]
            assert told(out) == [(GapReason.DAMAGED, old, [[DAMAGED, DAMAGED]])]


async def test_what_was_carried_over_is_kept_until_something_behind_it_was_confirmed(tmp_path: Path) -> None:
    """By a consumer that is away when the journal is found damaged, for as long as it is waited for."""
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with consuming(out, broker):
        old = await damaged(tmp_path, broker)
    async with hub(tmp_path, broker) as post:
        await post.clock.sleep(CONFIRMED)
        assert post.journal.acked[Stream.EVENTS].number == 1, "the broker had all of it, and nobody heard it"
        await post.journal.forget(before=4e9)
    async with hub(tmp_path, broker) as post:
        async with consuming(out, broker):
            await post.clock.sleep(CONFIRMED)
        assert stored(out, old) == [1, 2, 3, 4, 5, 7, 8, 9, 10]
        await post.clock.sleep(CONFIRMED)
        assert await post.journal.forget(before=4e9) >= WAITING - 1


async def test_what_was_carried_over_survives_a_second_damage(tmp_path: Path) -> None:
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with consuming(out, broker):
        old = await damaged(tmp_path, broker)
    async with hub(tmp_path, broker) as post:
        await post.clock.sleep(CONFIRMED)
    changed(tmp_path, "UPDATE event SET payload = x'00' WHERE position = 8")
    async with consuming(out, broker), hub(tmp_path, broker, seed=3) as post:
        await post.clock.sleep(CONFIRMED)
        assert stored(out, old) == [1, 2, 3, 4, 5, 7, 9, 10]


async def test_repetitions_end_with_the_first_confirmation_and_become_rare_without_one(tmp_path: Path) -> None:
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with consuming(out, broker):
        await damaged(tmp_path, broker, alarms=3)
        async with hub(tmp_path, broker) as post:
            await post.clock.sleep(1800)
            assert 3 * 7 <= post.gauges.replayed <= 3 * 10, "alarms, of which there is no new one"
            await post.journal.append([raised(10)])
            await post.clock.sleep(CONFIRMED)
            before = post.gauges.replayed
            await post.clock.sleep(1800)
            assert post.gauges.replayed == before


async def test_an_operator_gets_again_what_was_lost_while_what_came_behind_it_arrived(tmp_path: Path) -> None:
    """The one loss that neither side can see: see docs/explanations/delivery.md."""
    lost = {"left": 0}

    def withheld(topic: str) -> bool:
        lost["left"] -= "/event/" in topic
        return "/event/" in topic and lost["left"] >= 0

    broker, out = MemoryBroker(withhold=withheld), tmp_path / "out.jsonl"
    async with consuming(out, broker):
        old = await damaged(tmp_path, broker)
        lost["left"] = WAITING - 1
        async with delivering(tmp_path, broker, seed=2) as (post, deliver, _):
            post.number = 100
            await post.append(1)
            await post.clock.sleep(CONFIRMED)
            assert stored(out, old) == [1, 2, 3, 4, 5]
            await deliver.replay(Stream.EVENTS, 0)
            await post.clock.sleep(CONFIRMED)
            assert stored(out, old) == [1, 2, 3, 4, 5, 7, 8, 9, 10]
