"""The loop of the consumer: when it stores, when it confirms, and that it goes on for ever. In virtual time."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from msgspec import structs

from devicehub.clock import Clock
from devicehub.consume.book import Book
from devicehub.consume.conformance.hub import Numbered, PlayedHub
from devicehub.consume.consumer import AGAIN, PAUSE, TOGETHER, Consumer
from devicehub.consume.files import opened
from devicehub.consume.heard import filters
from devicehub.consume.store import StoreError
from devicehub.model.stream import Stream
from devicehub.publish.contract import inward_schema
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing, Publisher
from tests.unit.consume.played import BOTH, hub

NAME = "archive"
FILE = "out.jsonl"


@dataclass
class Scene:
    """A hub that is played, a broker in process, and a consumer that runs."""

    hub: PlayedHub
    broker: MemoryBroker
    consumer: Consumer
    running: asyncio.Task[None]
    path: Path
    clock: Clock = field(default_factory=Clock)

    def send(self, *messages: Numbered, again: bool = False) -> None:
        for one in messages:
            self.broker.take(one.again if again else one.out)

    @property
    def receipts(self) -> list[tuple[float, dict[str, int]]]:
        """When they were published and what they say is received, in the hub's epoch or none."""
        topic = f"{self.hub.topics.prefix}/receipt/{NAME}"
        told = [(at, json.loads(out.payload)) for at, out in self.broker.log if out.topic == topic]
        return [(at, body["received"]) for at, body in told if body["epoch"] in ("", self.hub.epoch)]

    @property
    def newest(self) -> dict[str, int]:
        return self.receipts[-1][1]

    @property
    def stored(self) -> list[int]:
        return [int(json.loads(line)["sequence"]) for line in self.path.read_bytes().splitlines()]

    async def until(self, what: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not what():
                await self.clock.sleep(0.01)


@asynccontextmanager
async def scene(folder: Path, broker: MemoryBroker | None = None) -> AsyncIterator[Scene]:
    played, broker = hub(), broker or MemoryBroker()
    with opened(folder / FILE) as store:
        book = Book(BOTH)
        store.load(book)
        book.meet(played.topics.prefix)
        consumer = Consumer(store, book, broker.connect, Clock(seed=3), NAME)
        running = asyncio.create_task(consumer.run(filters(played.topics.prefix, BOTH)))
        one = Scene(played, broker, consumer, running, folder / FILE)
        try:
            yield one
        finally:
            consumer.stop()
            await asyncio.wait({running})


async def test_it_registers_when_it_has_subscribed(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts), PAUSE)
        assert one.newest == {"alarms": 0, "events": 0}
        (out,) = [out for _, out in one.broker.log]
        assert (out.qos, out.retain, out.expiry) == (1, True, None)


async def test_it_confirms_what_it_has_stored_and_nothing_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        one.send(*one.hub.events(Stream.EVENTS, 3), *one.hub.events(Stream.ALARMS, 1))
        await one.until(lambda: one.newest["events"] == 3, 2 * PAUSE)
        assert one.stored == [1, 2, 3, 1]
        assert one.newest == {"alarms": 1, "events": 3}


async def test_while_it_stores_it_confirms_at_most_every_200_ms(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        for _ in range(300):
            one.send(*one.hub.events(Stream.EVENTS, 7))
            await one.clock.sleep(0.01)
        await one.until(lambda: one.newest["events"] == 2100)
        times = [at for at, _ in one.receipts]
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= PAUSE - 1e-6
        assert len(times) > 10


async def test_many_messages_at_once_do_not_wait_for_more(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        await one.clock.sleep(1.0)
        at = asyncio.get_running_loop().time()
        one.send(*one.hub.events(Stream.EVENTS, TOGETHER))
        await one.until(lambda: one.newest["events"] == TOGETHER)
        assert asyncio.get_running_loop().time() - at < PAUSE / 2


async def test_it_confirms_again_at_least_every_five_seconds(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.clock.sleep(60.0)
        times = [at for at, _ in one.receipts]
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert min(pauses) >= AGAIN
        assert max(pauses) <= 5.0
        assert len(times) >= 12


async def test_at_a_hole_it_confirms_at_once_and_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        first, second, *behind = one.hub.events(Stream.EVENTS, 40)
        one.send(first)
        await one.until(lambda: one.newest["events"] == 1)
        before, at = len(one.receipts), asyncio.get_running_loop().time()
        one.send(*behind)
        await one.until(lambda: len(one.receipts) > before)
        assert asyncio.get_running_loop().time() - at < PAUSE / 2
        await one.clock.sleep(3.0)
        assert [received["events"] for _, received in one.receipts[before:]] == [1]
        one.send(second, *behind, again=True)
        await one.until(lambda: one.newest["events"] == 40)
        assert one.stored == list(range(1, 41))


async def test_a_new_epoch_is_named_at_once_though_nothing_of_it_can_be_stored(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        one.send(*one.hub.events(Stream.EVENTS, 3))
        await one.until(lambda: one.newest["events"] == 3)
        one.hub.begin_epoch()
        _, second = one.hub.events(Stream.EVENTS, 2)
        one.send(second)
        epoch = one.hub.epoch.encode()
        await one.until(lambda: any(epoch in out.payload for _, out in one.broker.log if "receipt" in out.topic), PAUSE)
        assert one.newest == {"alarms": 0, "events": 0}


async def test_an_outage_of_the_broker_is_survived_and_everything_confirmed_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        for outage in (0.1, 5.0, 120.0):
            one.send(*one.hub.events(Stream.EVENTS, 2))
            await one.until(lambda: one.newest["events"] == one.hub.last[Stream.EVENTS])
            one.broker.outage()
            await one.clock.sleep(outage)
            lost = one.hub.events(Stream.EVENTS, 3)
            before = len(one.receipts)
            one.broker.restore()
            await one.until(lambda: len(one.receipts) > before)  # noqa: B023  awaited at once
            one.send(*lost, again=True)
        await one.until(lambda: one.newest["events"] == one.hub.last[Stream.EVENTS])
        assert one.stored == list(range(1, 16))


async def test_attempts_to_connect_become_rare(tmp_path: Path) -> None:
    attempts: list[float] = []
    broker = MemoryBroker()
    broker.outage()

    @asynccontextmanager
    async def connect() -> AsyncIterator[Publisher]:
        attempts.append(asyncio.get_running_loop().time())
        async with broker.connect() as publisher:
            yield publisher

    with opened(tmp_path / FILE) as store:
        consumer = Consumer(store, Book(BOTH), connect, Clock(seed=3), NAME)
        running = asyncio.create_task(consumer.run(["#"]))
        await Clock().sleep(3600.0)
        consumer.stop()
        await running
    assert 3600 / 5 <= len(attempts) <= 3600 / 2
    assert len([at for at in attempts if at < 10]) > 4


async def test_a_stop_stores_and_confirms_what_has_come(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        one.send(*one.hub.events(Stream.EVENTS, 5))
        await one.clock.sleep(0.001)
        one.consumer.stop()
        await one.running
        assert one.stored == [1, 2, 3, 4, 5]
        assert one.newest["events"] == 5


async def test_a_stop_ends_while_the_broker_is_away(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        one.broker.outage()
        await one.clock.sleep(300.0)
        one.consumer.stop()
        async with asyncio.timeout(1.0):
            await one.running


async def test_garbage_is_left_out(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        good = one.hub.events(Stream.EVENTS, 1)[0]
        topic = good.out.topic
        for payload in (b"", b"{", b'{"sequence":1}', good.out.payload.replace(b"lane1", b"lane9")):
            one.broker.take(Outgoing(topic, payload, qos=1, retain=False, expiry=None, type="", id="", subject=""))
        one.send(good)
        await one.until(lambda: one.newest["events"] == 1)
        assert one.stored == [1]


async def test_a_node_is_found_by_its_status_and_not_by_the_end_of_it(tmp_path: Path) -> None:
    broker, found, gone = MemoryBroker(), hub("lane1"), hub("lane2")
    with opened(tmp_path / FILE) as store:
        consumer = Consumer(store, Book(BOTH), broker.connect, Clock(), NAME)
        running = asyncio.create_task(consumer.run(["devicehub/v1/+/+/status"]))
        await Clock().sleep(0.1)
        broker.take(found.status())
        broker.take(structs.replace(gone.status(), payload=b""))
        await Clock().sleep(1.0)
        consumer.stop()
        await running
    assert [topic for topic in broker.retained if "receipt" in topic] == [f"{found.topics.prefix}/receipt/{NAME}"]


async def test_every_receipt_is_as_the_contract_says(tmp_path: Path) -> None:
    schema = Draft202012Validator(dict(inward_schema("receipt")))
    async with scene(tmp_path) as one:
        await one.until(lambda: bool(one.receipts))
        one.send(*one.hub.events(Stream.EVENTS, 3), *one.hub.events(Stream.ALARMS, 3))
        await one.until(lambda: one.newest == {"alarms": 3, "events": 3})
        told = [json.loads(out.payload) for _, out in one.broker.log if "/receipt/" in out.topic]
    assert len(told) >= 2
    assert [body for body in told if not schema.is_valid(body)] == []


async def test_refused_receipts_are_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker(refuse=lambda out: "not authorised" if "/receipt/" in out.topic else "")
    async with scene(tmp_path, broker) as one:
        await one.clock.sleep(60.0)
        told = [record for record in caplog.records if "receipts are not taken" in record.getMessage()]
        assert len(told) == 1
        broker.refuse = lambda _: ""
        await one.clock.sleep(6.0)
        assert one.newest == {"alarms": 0, "events": 0}


async def test_a_store_that_fails_ends_it_and_nothing_is_confirmed(tmp_path: Path) -> None:
    class Full:
        def load(self, book: Book) -> None: ...

        def close(self) -> None: ...

        def store(self, batch: object, changes: object) -> None:
            raise StoreError("the disk is full")

    played, broker = hub(), MemoryBroker()
    consumer = Consumer(Full(), Book(BOTH), broker.connect, Clock(), NAME)
    running = asyncio.create_task(consumer.run(filters(played.topics.prefix, BOTH)))
    await Clock().sleep(0.1)
    broker.take(played.events(Stream.EVENTS, 1)[0].out)
    with pytest.raises(ExceptionGroup) as raised:
        await running
    assert raised.group_contains(StoreError, match="full")
    received = [json.loads(out.payload)["received"]["events"] for _, out in broker.log if "/receipt/" in out.topic]
    assert set(received) <= {0}
