"""The broker is away for a simulated week, then comes back: everything arrives, in order, and memory stays flat.

A week of one workstation is 1.2 million events; a tenth of it runs by default, all of it with DEVICEHUB_TORTURE=10.
The consumer is a process of its own, `devicehub consume`. While the backlog drains, alarms go on: each must reach a
subscriber within 2 s.

Sabotage: with alarms in the one stream of all events they come late; a journal that forgets what is old whether it was
delivered or not loses events.
"""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.deliver import Delivery, Hooks
from devicehub.deliver.lanes import GRACE
from devicehub.health import Gauges
from devicehub.journal import Journal, ledger, tables
from devicehub.model.message import Kind, Message
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import connect
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import started, until
from tests.real.journals import NAME, TOPICS, encode
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import settings
from tests.torture.arrivals import times
from tests.torture.ledgers import Verdict, accepted, compared, in_table
from tests.unit.publish.examples import TIME, alarm, reading

pytestmark = pytest.mark.real

WEEK = 120_000
SABOTAGED = 30_000
BATCH = 500
DRAIN_PER_S = 2000.0
ALARM_S = 2.0
GROWTH = 96 * 1024 * 1024


@dataclass
class Bench:
    """A journal and its delivery in this process; `delays`: seconds from the acceptance of an alarm to its arrival."""

    journal: Journal
    delivery: Delivery
    clock: Clock
    number: int = 0
    delays: list[float] = field(default_factory=list[float])

    def event(self) -> Message:
        self.number += 1
        at = TIME + self.number * 7 * 86_400 / WEEK
        return Message(
            Kind.READING, "reading", f"{self.number:026d}", at, self.clock.monotonic(), reading(), "gamma-1", "dose"
        )

    def raised(self) -> Message:
        self.number += 1
        now = self.clock.monotonic()
        return Message(Kind.EVENT, "alarm.raised", f"{self.number:026d}", TIME, now, alarm(), "gamma-1", "dose-high")

    async def accept(self, count: int) -> None:
        for _ in range(0, count, BATCH):
            await self.journal.append([self.event() for _ in range(BATCH)])

    async def alarms(self, ears: Ears, enough: asyncio.Event) -> None:
        """One alarm after another, each timed and heard before the next."""
        while not enough.is_set():
            message = self.raised()
            began = self.clock.monotonic()
            await self.journal.append([message])
            await ears.until(partial(_last_is, ears, message.id))
            self.delays.append(self.clock.monotonic() - began)
            await self.clock.sleep(0.25)


@asynccontextmanager
async def bench(folder: Path, broker: Mosquitto) -> AsyncIterator[Bench]:
    """Delivery to that broker, which may be away."""
    clock = Clock()
    journal = Journal(folder / NAME, encode, clock)
    await journal.open()
    hooks = Hooks(
        connected=lambda _: None,
        incoming=lambda message: delivery.receipt(message),  # noqa: PLW0108 - not made yet
        deaf=pytest.fail,
        filters=(TOPICS.receipts,),
    )
    delivery = Delivery(
        journal,
        Board(),
        partial(connect, settings(broker)),
        clock,
        Gauges(),
        hooks=hooks,
        remark=print,
        window=100,
    )
    await delivery.resume(await journal.file(tables.standing))
    running = asyncio.create_task(delivery.run())
    try:
        yield Bench(journal, delivery, clock)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await journal.close()


def _last_is(ears: Ears, name: str) -> bool:
    return bool(ears.heard) and ears.heard[-1].body["id"] == name


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def _leave_alone(_: Journal) -> None:
    """Nothing is wrong."""


@dataclass(frozen=True)
class Outcome:
    """What a drain came to."""

    verdict: Verdict
    took: float
    delays: list[float]
    memory: list[int]


async def away_and_back(
    folder: Path, count: int, spoil: Callable[[Journal], Awaitable[object]] = _leave_alone
) -> Outcome:
    """`count` events while the broker is away, then drained to a durable consumer, with alarms meanwhile."""
    out = folder / "archive.sqlite"
    filters = [f"{TOPICS.prefix}/event/alarm-raised"]
    async with mosquitto(folder, extra=["max_queued_messages 20000"]) as broker, bench(folder, broker) as hub:
        words = ("consume", str(out), "--name", "archive", "--exercise", "--broker", f"mqtt://127.0.0.1:{broker.port}")
        async with started(*words, cwd=folder) as consumer:
            await consumer.says("subscribed")
            await hub.accept(BATCH)
            await until(lambda: _received(hub) == BATCH)
            await broker.stop()
            await hub.accept(count // 10)
            memory = [resident()]
            await hub.accept(count - count // 10)
            memory.append(resident())
            await spoil(hub.journal)
            await broker.start()
            async with hearing(settings(broker), filters=filters) as ears:
                enough = asyncio.Event()
                alarming = asyncio.create_task(hub.alarms(ears, enough))
                await until(lambda: _received(hub) > BATCH)
                began = hub.clock.monotonic()
                await until(lambda: _received(hub) >= count + BATCH, seconds=GRACE + count / DRAIN_PER_S)
                took = hub.clock.monotonic() - began
                memory.append(resident())
                await until(lambda: hub.delays)
                enough.set()
                await alarming
                await until(lambda: compared(accepted(folder / NAME), in_table(out)).lost == 0)
        return Outcome(compared(accepted(folder / NAME), in_table(out)), took, hub.delays, memory)


@pytest.mark.alone
async def test_a_week_without_a_broker_is_delivered_when_it_is_back(tmp_path: Path) -> None:
    count = times(WEEK)
    outcome = await away_and_back(tmp_path, count)
    verdict, rate = outcome.verdict, count / outcome.took
    print(
        f"N = {count} events of a week: {verdict.lost} lost, {verdict.inversions} out of order, {verdict.twice} twice; "
        f"drained and confirmed at {rate:.0f}/s; {len(outcome.delays)} alarms meanwhile, the slowest after "
        f"{max(outcome.delays) * 1000:.0f} ms; memory {[size >> 20 for size in outcome.memory]} MiB"
    )
    assert (verdict.lost, verdict.inversions, verdict.twice) == (0, 0, 0)
    assert rate >= DRAIN_PER_S
    assert max(outcome.delays) < ALARM_S
    assert max(outcome.memory) - outcome.memory[0] < GROWTH


async def test_alarms_in_the_stream_of_all_events_come_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "stream_of", lambda _: Stream.EVENTS)
    outcome = await away_and_back(tmp_path, SABOTAGED)
    print(f"N = {SABOTAGED} events, alarms among them after {max(outcome.delays):.1f} s")
    assert max(outcome.delays) >= ALARM_S


async def test_a_journal_that_forgets_what_is_old_is_found_out(tmp_path: Path) -> None:
    """Not from memory, where the newest of them are kept too."""

    async def forget(journal: Journal) -> None:
        careless = "DELETE FROM event WHERE stream = 'events' AND number BETWEEN 600 AND 700"
        assert await journal.file(lambda db: db.execute(careless).rowcount) > 0

    with pytest.raises(TimeoutError):  # the consumer waits for what will never come
        await away_and_back(tmp_path, SABOTAGED, forget)


def _received(hub: Bench) -> int:
    return hub.delivery.watermarks()[0][Stream.EVENTS].received or 0
