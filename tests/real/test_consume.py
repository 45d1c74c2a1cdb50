"""`devicehub consume` as a process, at a real Mosquitto: killed, stopped, refused, and its file held against the truth."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.consume.conformance.hub import PlayedHub
from devicehub.model.errors import DeliveryError
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Publisher
from devicehub.publish.settings import BrokerSettings
from tests.real.hub_process import HubProcess, started, until
from tests.real.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.real

NAME = "archive"
COUNTED = (Stream.ALARMS, Stream.EVENTS)
KILLS = 8
MESSAGES = 2000
PATIENCE = 300
WINDOW = 400
LIMITED = (
    "-c",
    "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); runpy.run_module('devicehub', run_name='__main__')",
)


def stored(path: Path) -> Iterator[tuple[str, int, str]]:
    """Stream, number and id of what is stored, in the order of storing."""
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
    else:
        with closing(sqlite3.connect(path)) as db:
            lines = [body for (body,) in db.execute("SELECT body FROM message ORDER BY id")]
    for body in map(json.loads, lines):
        yield body["stream"], int(body["sequence"]), body["id"]


class Replayer:
    """What a hub does for one consumer: everything once, in order; again from its receipt when that stands still."""

    def __init__(self, hub: PlayedHub, broker: Mosquitto) -> None:
        self.hub = hub
        self.settings = BrokerSettings(host=broker.host, port=broker.port)
        self.receipt = dict.fromkeys(COUNTED, 0)
        self._sent = dict.fromkeys(COUNTED, 0)
        self._heard = asyncio.Event()
        self._clock = Clock()

    @property
    def confirmed(self) -> int:
        return sum(self.receipt.values())

    @property
    def done(self) -> bool:
        return all(self.receipt[stream] == self.hub.last[stream] for stream in COUNTED)

    async def run(self) -> None:
        """Until everything is confirmed, over as many connections as it takes."""
        while not self.done:
            with suppress(DeliveryError):
                async with connect(self.settings) as publisher:
                    await publisher.subscribe([f"{self.hub.topics.prefix}/receipt/{NAME}"])
                    listening = asyncio.create_task(self._listen(publisher))
                    try:
                        await self._deliver(publisher)
                    finally:
                        listening.cancel()
            await self._clock.sleep(0.05)

    async def _listen(self, publisher: Publisher) -> None:
        with suppress(DeliveryError):
            async for message in publisher.incoming():
                told = json.loads(message.payload)
                if told["epoch"] in (self.hub.epoch, ""):
                    self.receipt = {stream: told["received"][stream] for stream in COUNTED}
                    self._heard.set()

    async def _deliver(self, publisher: Publisher) -> None:
        while not self.done:
            for stream in COUNTED:
                part = self.hub.after(stream, self._sent[stream], 50)
                if part and self._sent[stream] - self.receipt[stream] < WINDOW:
                    await asyncio.gather(*[publisher.submit(one.out) for one in part])
                    self._sent[stream] = part[-1].number
            before = dict(self.receipt)
            await self._stands_still()
            if before == self.receipt:
                for stream in COUNTED:
                    part = self.hub.after(stream, self.receipt[stream], WINDOW)
                    await asyncio.gather(*[publisher.submit(one.again) for one in part])

    async def _stands_still(self) -> None:
        self._heard.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.4):
                await self._heard.wait()


@asynccontextmanager
async def consuming(folder: Path, out: str, broker: Mosquitto, *more: str) -> AsyncIterator[HubProcess]:
    words = ("consume", out, "--name", NAME, "--node", "bcp-south/lane1", "--broker", f"mqtt://127.0.0.1:{broker.port}")
    async with started(*words, *more, cwd=folder) as process:
        yield process


def filled() -> PlayedHub:
    """A hub that has a backlog in two streams."""
    hub = PlayedHub("bcp-south", "lane1", Clock(), exercise=False)
    hub.events(Stream.ALARMS, MESSAGES // 5)
    hub.events(Stream.EVENTS, MESSAGES)
    return hub


def expected(hub: PlayedHub, stream: Stream) -> list[tuple[int, str]]:
    return [(one.number, one.out.id) for one in hub.after(stream, 0, MESSAGES)]


def assert_complete(path: Path, hub: PlayedHub) -> None:
    """Everything, once, in order."""
    for stream in COUNTED:
        found = [(number, name) for of, number, name in stored(path) if of == stream]
        assert found == expected(hub, stream)


@pytest.mark.parametrize("out", ["out.jsonl", "out.sqlite"])
async def test_nothing_is_lost_and_nothing_twice_when_it_is_killed_at_any_moment(tmp_path: Path, out: str) -> None:
    random, clock, hub, kills, under_way = Random(11), Clock(), filled(), 0, 0
    async with mosquitto(tmp_path) as broker, asyncio.timeout(PATIENCE):
        replayer = Replayer(hub, broker)
        delivering = asyncio.create_task(replayer.run())
        while kills < KILLS and not delivering.done():
            confirmed = replayer.confirmed
            target = confirmed + random.randint(0, len(hub.log) // (3 * KILLS))
            async with consuming(tmp_path, out, broker) as consumer:
                await consumer.says("subscribed")
                await until(lambda: replayer.confirmed >= target or delivering.done(), PATIENCE)  # noqa: B023  awaited at once
                await clock.sleep(random.uniform(0.0, 0.2))
                await consumer.ends(signal.SIGKILL)
            kills += 1
            under_way += replayer.confirmed > confirmed and not replayer.done
            numbers = [(of, number) for of, number, _ in whole(tmp_path / out)]
            assert len(numbers) == len(set(numbers))
            for stream in COUNTED:
                assert set(range(1, replayer.receipt[stream] + 1)) <= {number for of, number in numbers if of == stream}
        async with consuming(tmp_path, out, broker) as consumer:
            await consumer.says("subscribed")
            await delivering
            assert await consumer.ends(signal.SIGTERM) == 0
    print(f"{kills} kills, {under_way} of them while it stored, {len(hub.log)} messages")
    assert kills >= KILLS // 2
    assert under_way >= KILLS // 2
    assert_complete(tmp_path / out, hub)


def whole(path: Path) -> list[tuple[str, int, str]]:
    """What a killed process has stored, without what it had not finished."""
    if path.suffix == ".jsonl":
        text = path.read_bytes()
        (path.parent / "whole.jsonl").write_bytes(text[: text.rfind(b"\n") + 1])
        path = path.parent / "whole.jsonl"
    return list(stored(path))


async def test_a_broker_that_forgets_everything_takes_nothing_with_it(tmp_path: Path) -> None:
    hub = filled()
    async with mosquitto(tmp_path) as broker, asyncio.timeout(PATIENCE):
        replayer = Replayer(hub, broker)
        async with consuming(tmp_path, "out.jsonl", broker) as consumer:
            delivering = asyncio.create_task(replayer.run())
            for part in (0.2, 0.5, 0.7):
                await until(lambda: replayer.confirmed >= part * len(hub.log), PATIENCE)  # noqa: B023  awaited at once
                await broker.kill()
                await broker.start()
            await delivering
            assert await consumer.ends(signal.SIGTERM) == 0
    assert_complete(tmp_path / "out.jsonl", hub)


async def test_the_receipt_is_retained_and_deleted_when_it_leaves(tmp_path: Path) -> None:
    hub = PlayedHub("bcp-south", "lane1", Clock(), exercise=False)
    async with mosquitto(tmp_path) as broker, asyncio.timeout(PATIENCE):
        async with consuming(tmp_path, "out.jsonl", broker) as consumer:
            hub.events(Stream.EVENTS, 3)
            await Replayer(hub, broker).run()
            assert await consumer.ends(signal.SIGINT) == 0
            await consumer.says("3 messages stored")
        assert await retained(broker, hub) == {"epoch": hub.epoch, "received": {"alarms": 0, "events": 3}}
        async with consuming(tmp_path, "out.jsonl", broker, "--leave") as leaving:
            assert await leaving.ends() == 0
            await leaving.says(f"{NAME} has left devicehub/v1/bcp-south/lane1")
        assert await retained(broker, hub) is None


async def retained(broker: Mosquitto, hub: PlayedHub) -> object:
    """The receipt that the broker keeps; None for none. A message of our own says that it has shown everything."""
    mark = hub.topics.status
    async with connect(BrokerSettings(host=broker.host, port=broker.port)) as reader:
        await reader.subscribe([f"{hub.topics.receipts}", mark])
        await reader.submit(hub.status())
        async for message in reader.incoming():
            if message.topic == mark:
                return None
            return json.loads(message.payload)
    raise AssertionError


async def test_two_cannot_write_one_file(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, consuming(tmp_path, "out.sqlite", broker) as first:
        await first.says("subscribed")
        async with consuming(tmp_path, "out.sqlite", broker) as second:
            assert await second.ends() == 75
            await second.says("out.sqlite is written by another process")


async def test_receipts_that_the_broker_refuses_are_told(tmp_path: Path) -> None:
    acl = "topic read devicehub/v1/#\n"
    async with mosquitto(tmp_path, acl=acl) as broker, consuming(tmp_path, "out.jsonl", broker) as consumer:
        await consumer.says("receipts are not taken, so nothing counts as received")
        assert await consumer.ends(signal.SIGTERM) == 0


async def test_it_waits_for_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await broker.kill()
        async with consuming(tmp_path, "out.jsonl", broker) as consumer:
            await consumer.says("nothing listens on")
            await broker.start()
            await consumer.says("subscribed")
            assert await consumer.ends(signal.SIGTERM) == 0


async def test_a_full_disk_ends_it_with_74_and_the_next_run_goes_on(tmp_path: Path) -> None:
    hub = PlayedHub("bcp-south", "lane1", Clock(), exercise=False)
    async with mosquitto(tmp_path) as broker, connect(BrokerSettings(host=broker.host, port=broker.port)) as publisher:
        words = ("consume", "out.jsonl", "--name", NAME, "--broker", f"mqtt://127.0.0.1:{broker.port}")
        async with started(*words, cwd=tmp_path, program=LIMITED) as consumer:
            await consumer.says("subscribed")
            await asyncio.gather(*[publisher.submit(one.out) for one in hub.events(Stream.EVENTS, 200)])
            assert await consumer.ends() == 74
            assert (await consumer.says("File too large")).startswith("devicehub: out.jsonl: ")
        async with asyncio.timeout(PATIENCE), consuming(tmp_path, "out.jsonl", broker) as consumer:
            hub.events(Stream.ALARMS, 1)
            await Replayer(hub, broker).run()
            assert await consumer.ends(signal.SIGTERM) == 0
    assert [number for of, number, _ in stored(tmp_path / "out.jsonl") if of == "events"] == list(range(1, 201))
