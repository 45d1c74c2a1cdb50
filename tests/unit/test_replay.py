"""The hub's delivery and the reference consumer through a broker that loses what it acknowledged."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from devicehub.clock import Clock
from devicehub.consume.book import Book
from devicehub.consume.consumer import Consumer
from devicehub.consume.files import opened
from devicehub.consume.heard import filters
from devicehub.deliver.receipts import CREDIT
from devicehub.deliver.stage import RECONNECT_MOST
from devicehub.journal import space
from devicehub.model.gap import GapReason
from devicehub.model.message import Kind, Message
from devicehub.model.stream import Stream
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing
from tests.real.journals import TOPICS
from tests.unit.delivery import Post, delivering
from tests.unit.publish.examples import alarm

STREAMS = frozenset({Stream.ALARMS, Stream.EVENTS})
RECEIPT = f"{TOPICS.prefix}/receipt/archive"


@asynccontextmanager
async def consuming(path: Path, broker: MemoryBroker, seed: int = 2) -> AsyncIterator[Consumer]:
    """The reference consumer as "archive"; it is cut off at the end, as by a crash."""
    clock = Clock(utc=lambda: 0.0, seed=seed)
    with opened(path) as store:
        book = Book(STREAMS)
        store.load(book)
        book.meet(TOPICS.prefix)
        consumer = Consumer(store, book, broker.connect, clock, "archive")
        task = asyncio.create_task(consumer.run(filters(TOPICS.prefix, STREAMS)))
        try:
            yield consumer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def stored(path: Path, stream: Stream = Stream.EVENTS) -> list[int]:
    """Numbers in the file, in its order."""
    bodies = [json.loads(line) for line in path.read_text().splitlines()]
    return [int(body["sequence"]) for body in bodies if body.get("stream") == stream]


def submitted(post: Post, number: int) -> list[bool]:
    """Of each time an event was sent: whether it was marked as late."""
    return [b'"historical":true' in out.payload for _, out in post.broker.log if out.id == f"{number:026d}"]


async def test_what_reaches_the_consumer_at_once_is_sent_once(tmp_path: Path) -> None:
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with delivering(tmp_path, broker) as (post, deliver, _), consuming(out, broker):
        await post.append(300)
        await post.clock.sleep(30)
        assert (post.arrived(), stored(out)) == (list(range(1, 301)), list(range(1, 301)))
        marks, quarantined = deliver.watermarks()
        events = marks["events"]
        assert (events.stored, events.sent, events.acked, events.received, events.consumers) == (
            300,
            300,
            300,
            300,
            {"archive": 300},
        )
        assert (quarantined, post.gauges.replayed) == (0, 0)
        assert ("consumer-registered", "archive") in post.remarks


@pytest.mark.parametrize("seed", range(4))
async def test_what_the_broker_lost_after_it_acknowledged_it_is_sent_again_until_it_arrives(
    tmp_path: Path, seed: int
) -> None:
    """One message in ten is lost on its way to the consumer, receipts too; both are cut off now and then."""
    chance, out = Random(seed), tmp_path / "out.jsonl"
    lossy = {"share": 0.1}
    broker = MemoryBroker(withhold=lambda _: chance.random() < lossy["share"])
    async with delivering(tmp_path, broker, seed=seed) as (post, *_):
        for _ in range(6):
            async with consuming(out, broker, seed):
                await post.append(chance.randint(1, 400))
                await post.clock.sleep(chance.uniform(0, 20))
                broker.outage(taken=chance.randint(0, 5))
                await post.append(chance.randint(0, 50))
                await post.clock.sleep(chance.uniform(0, 5))
                broker.restore()
        lossy["share"] = 0.0
        async with consuming(out, broker, seed):
            await post.clock.sleep(120)
        assert stored(out) == list(range(1, post.number + 1))
        assert post.gauges.replayed > 0, "the broker lost something in this run"


async def test_a_repetition_is_late_and_not_retained_and_new_events_do_not_wait_for_it(tmp_path: Path) -> None:
    deaf = {"on": True}
    broker, out = MemoryBroker(withhold=lambda topic: deaf["on"] and "/event/" in topic), tmp_path / "out.jsonl"
    async with delivering(tmp_path, broker) as (post, *_), consuming(out, broker):
        await post.append(3 * CREDIT)
        await post.clock.sleep(60)
        deaf["on"] = False
        await post.append(1)
        await post.clock.sleep(0.5)
        assert submitted(post, post.number) == [False], "at once, though the consumer lacks all before it"
        await post.clock.sleep(180)
        assert stored(out) == list(range(1, post.number + 1))
        assert submitted(post, 1)[0] is False
        assert set(submitted(post, 1)[1:]) == {True}
        assert not any(out.retain for _, out in broker.log if out.type.startswith("io.devicehub.hub"))


async def test_no_more_is_sent_again_than_the_consumer_can_confirm(tmp_path: Path) -> None:
    """One that says it lives and stores nothing costs no more than its credit, ever more seldom."""
    broker = MemoryBroker()
    async with delivering(tmp_path, broker) as (post, *_), broker.connect() as stuck:
        await post.append(3 * CREDIT)
        for _ in range(20):
            body = json.dumps({"epoch": post.journal.epoch, "received": {"events": 7}}).encode()
            stuck.submit(_receipt(body))
            await post.clock.sleep(5)
        assert CREDIT <= post.gauges.replayed <= 5 * CREDIT
        assert len(post.arrived()) == 3 * CREDIT + post.gauges.replayed


async def test_an_alarm_overtakes_a_backlog(tmp_path: Path) -> None:
    broker = MemoryBroker(delay=lambda _: 0.01)
    async with delivering(tmp_path, broker, window=20) as (post, *_):
        broker.outage()
        await post.append(5000)
        broker.restore()
        await post.clock.sleep(RECONNECT_MOST)
        assert 0 < len(post.arrived()) < 5000
        before = post.clock.monotonic()
        await post.journal.append([raised()])
        await post.clock.sleep(1)
        at = next(at for at, out in broker.log if out.type == "io.devicehub.alarm.raised")
        assert at - before < 0.5
        await post.clock.sleep(60)
        assert post.arrived() == list(range(1, 5001))


async def test_what_was_forgotten_after_the_retention_is_a_hole_that_is_told(tmp_path: Path) -> None:
    broker, out = MemoryBroker(), tmp_path / "out.jsonl"
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(20)
        await post.clock.sleep(1)
        await post.journal.forget(before=4e9)
        await post.append(5)
        async with consuming(out, broker):
            await post.clock.sleep(10)
            (gap,) = await deliver.gaps()
            assert (gap.stream, gap.reason, gap.ranges) == ("events", GapReason.EXPIRED, ((1, 20),))
            await post.journal.append([Message(Kind.GAP, "gap", f"{99:026d}", 0.0, 0.0, gap)])
            await post.clock.sleep(120)
        assert stored(out) == [21, 22, 23, 24, 25, 26]


async def test_what_a_consumer_did_not_confirm_is_not_forgotten_until_it_was_silent_for_all_the_retention(
    tmp_path: Path,
) -> None:
    broker = MemoryBroker()
    async with delivering(tmp_path, broker) as (post, deliver, _), broker.connect() as slow:
        await post.append(20)
        slow.submit(receipt(post, 7))
        await post.clock.sleep(10)
        assert await post.journal.file(lambda db: space.floor(db, Stream.EVENTS)) == 7
        assert await post.journal.forget(before=4e9) == 7
        await deliver.lapse(before=post.clock.utc() - 100)
        assert await post.journal.forget(before=4e9) == 0
        await post.clock.sleep(1000)
        await deliver.lapse(before=post.clock.utc())
        assert ("consumer-lapsed", "archive was silent for the whole retention") in post.remarks
        assert await post.journal.forget(before=4e9) == 13


async def test_a_consumer_that_is_switched_off_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    broker, out, deaf = MemoryBroker(), tmp_path / "out.jsonl", {"on": True}
    broker.withhold = lambda topic: deaf["on"] and "/event/" in topic
    async with delivering(tmp_path, broker) as (post, *_), broker.connect() as other:
        await post.append(3 * CREDIT)
        other.submit(receipt(post, 10, name="off"))
        await post.clock.sleep(60)
        deaf["on"] = False
        async with consuming(out, broker):
            await post.append(1)
            await post.clock.sleep(120)
        assert stored(out) == list(range(1, post.number + 1))


async def test_a_replay_that_was_asked_for_is_not_cut_short_by_another(tmp_path: Path) -> None:
    broker = MemoryBroker(delay=lambda _: 0.5)
    async with delivering(tmp_path, broker, window=50) as (post, deliver, _):
        await post.append(500)
        await post.clock.sleep(30)
        await deliver.replay(Stream.EVENTS, 0)
        await post.clock.sleep(0.6)
        await deliver.replay(Stream.EVENTS, 490)
        await post.clock.sleep(60)
        assert {number for number in post.arrived() if post.arrived().count(number) > 1} == set(range(1, 501))


async def test_an_operator_gets_everything_again_from_a_number(tmp_path: Path) -> None:
    broker = MemoryBroker()
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(30)
        await post.clock.sleep(1)
        await deliver.replay(Stream.EVENTS, 20)
        await post.append(1)
        await post.clock.sleep(1)
        again = [number for number in post.arrived() if post.arrived().count(number) > 1]
        assert set(post.arrived()) == set(range(1, 32))
        assert set(range(21, 31)) <= set(again) <= set(range(21, 32))


async def test_a_receipt_that_cannot_be_right_is_told_once(tmp_path: Path) -> None:
    broker = MemoryBroker()
    async with delivering(tmp_path, broker) as (post, *_), broker.connect() as liar:
        for _ in range(3):
            liar.submit(_receipt(json.dumps({"epoch": post.journal.epoch, "received": {"events": 999}}).encode()))
            await post.clock.sleep(1)
        refused = [why for what, why in post.remarks if what == "receipt-refused"]
        assert refused == ["archive: it has events up to 999, and only 0 are stored"]


def receipt(post: Post, number: int, name: str = "archive") -> Outgoing:
    """A consumer has the events up to that number."""
    body = json.dumps({"epoch": post.journal.epoch, "received": {"events": number}}).encode()
    return structs.replace(_receipt(body), topic=f"{TOPICS.prefix}/receipt/{name}")


def _receipt(body: bytes) -> Outgoing:
    return Outgoing(RECEIPT, body, 1, retain=True, expiry=None, type="io.devicehub.receipt", id="0" * 26, subject="")


def raised() -> Message:
    return Message(Kind.EVENT, "alarm.raised", f"{7:026d}", 0.0, 0.0, alarm(), "trace-1", "tnt")
