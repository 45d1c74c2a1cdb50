"""The running hub: built from the sinks, stopped from the sources.

Knows every stage and no concrete edge: links, broker connection, journal file and clock are given.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Core, Outcome, Setting, StandingAlarm
from devicehub.core.admission import Admission
from devicehub.deliver import Deliver, Hooks
from devicehub.evidence import EvidenceStore
from devicehub.health import Depths, Gauges, Health
from devicehub.journal import Journal
from devicehub.ledger import Entry
from devicehub.model.errors import JournalError
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnyPayload, GapData, HubEventData, InfoData, StatusData
from devicehub.model.reading import Stamp
from devicehub.pipe import Pipe
from devicehub.publish.envelope import Encoder, outgoing, stored_alarm
from devicehub.publish.port import Connect, Outgoing, Publisher
from devicehub.publish.topics import Topics
from devicehub.refusals import Refusals
from devicehub.stages import Process, Sinks
from devicehub.supervisor import Post, Supervisor

_log = logging.getLogger(__name__)

DRAIN = 3.0
LAG_TICK = 0.5
GAP_EVERY = 1.0
PRUNE_EVERY = 600.0
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a hub is made of. `info` without run-time facts; `state`: folder of journal and evidence."""

    setting: Setting
    posts: Sequence[Post]
    connect: Connect
    topics: Topics
    encoder: Encoder
    boot: str
    info: Callable[[], InfoData]
    state: Path
    executor: Executor | None = None
    evidence_executor: Executor | None = None
    health_every: float = 10.0
    keep_days: float = 30.0
    window: int = 100


class Hub:
    """One run of the hub."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._gauges = Gauges()
        self._board = Board()
        self._pipe = Pipe(plan.setting.devices)
        self._core = Core(plan.setting)
        self._journal = Journal(plan.state / "journal.sqlite", self._stored, clock, plan.executor)
        self._refusals = Refusals()
        hooks = Hooks(self._on_connected, self._refusals)
        self._deliver = Deliver(
            self._journal, self._board, plan.connect, clock, self._gauges, hooks=hooks, window=plan.window
        )
        evidence = EvidenceStore(plan.state / "evidence", plan.evidence_executor)
        self._sinks = Sinks(self._journal, self._board, evidence, self._latest, self._gauges, clock)
        self._remarks: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._supervisors = [
            Supervisor(post, Admission(plan.setting.devices[post.device]).check, self._pipe.offer, clock)
            for post in plan.posts
        ]

    def wake(self) -> None:
        """Something was plugged in: try every absent device now."""
        for supervisor in self._supervisors:
            supervisor.wake()

    def remark(self, what: str, why: str) -> None:
        """Something about the whole hub that its subscribers should know: the event `hub-{what}`."""
        self._remarks.put_nowait((what, why))

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then drain. Raises `JournalError` when the journal cannot be opened."""
        await self._journal.open(self._plan.setting.devices)
        await self._begin()
        process = Process(self._pipe, self._core, self._sinks, self._clock)
        async with asyncio.TaskGroup() as group:
            deliver = group.create_task(self._deliver.run())
            gaps = group.create_task(self._gaps())
            worker = group.create_task(process.run())
            works = (process.tick(), self._health(), self._lag(), self._prune(), self._remarking())
            timers = [group.create_task(work) for work in works]
            devices = [group.create_task(supervisor.run()) for supervisor in self._supervisors]
            await stop.wait()
            _log.info("stopping")
            await _cancelled([*devices, *timers])
            self._pipe.close()
            await self._drained(worker)
            await self._end(deliver)
            self._refusals.close()
            await asyncio.wait([gaps], timeout=DRAIN)
            await _cancelled([gaps])
        await self._journal.close()

    async def _begin(self) -> None:
        now = self._clock.stamp()
        self._say(Kind.INFO, "info", self._plan.info())
        messages = [*self._core.births(now), *self._forgotten()]
        messages.append(self._message(Kind.EVENT, "hub.started", HubEventData("started")))
        messages += await self._resumed(now)
        if self._journal.unclean:
            since = None if self._journal.recorded is None else instant(self._journal.recorded)
            gap = GapData("hub", "unclean-shutdown", since=since, until=instant(now.utc))
            messages.append(self._message(Kind.GAP, "gap", gap))
        await self._sinks.accept(Outcome(messages))

    def _forgotten(self) -> list[Message]:
        """Deletes what the broker retains of devices of earlier runs, and the values of those that are still there."""
        gone = (Kind.DESCRIBE, Kind.DEVICE, Kind.CAPABILITY, Kind.STATE)
        topics = [(kind, device) for device in self._journal.former for kind in gone]
        topics += [(Kind.STATE, device) for device in self._plan.setting.devices]
        return [structs.replace(self._message(kind, kind.value, None), device=device) for kind, device in topics]

    async def _resumed(self, now: Stamp) -> list[Message]:
        """Take over the alarms that stood when the last run of this node ended; one that cannot be read is deleted."""
        place = f"{self._plan.topics.prefix}/{Kind.ALARM}/"
        standing: list[StandingAlarm] = []
        ended: list[Message] = []
        legible: list[Entry] = []
        for entry in await self._journal.standing():
            if not entry.out.topic.startswith(place):
                continue
            device, point = entry.out.subject.split("/")
            try:
                standing.append(StandingAlarm(device, point, stored_alarm(entry.out.payload)))
                legible.append(entry)
            except ValueError as error:
                _log.warning("alarm %s of an earlier run is deleted: %s", entry.out.subject, error)
                deleted = self._message(Kind.ALARM, "alarm.cleared", None)
                ended.append(structs.replace(deleted, device=device, point=point))
        self._deliver.resume(legible)
        return [*ended, *self._core.resume(standing, now)]

    async def _drained(self, worker: asyncio.Task[None]) -> None:
        """What was read is made durable; a disk that takes nothing must not keep the hub from ending."""
        done, _ = await asyncio.wait([worker], timeout=DRAIN)
        if not done:
            _log.error("%d readings were not accepted before the end", len(self._pipe))
            await _cancelled([worker])

    async def _end(self, deliver: asyncio.Task[None]) -> None:
        """Say goodbye and wait for what is still to be delivered, if there is somebody to take it."""
        event = self._message(Kind.EVENT, "hub.stopped", HubEventData("stopped"))
        with suppress(TimeoutError):  # the sinks have said that the disk takes nothing
            async with asyncio.timeout(DRAIN):
                await self._sinks.accept(Outcome([event]))
        self._say(Kind.STATUS, "status", self._status("offline"))
        self._deliver.finish()
        if self._gauges.connected:
            await asyncio.wait([deliver], timeout=DRAIN)
        await _cancelled([deliver])

    def _on_connected(self, publisher: Publisher) -> None:
        self._gauges.delivery = publisher.delivery
        self._say(Kind.STATUS, "status", self._status("online"))

    async def _gaps(self) -> None:
        """What the broker refused for good, as one gap a second, until the end."""
        while (gap := await self._refusals.gap()) is not None:
            await self._sinks.accept(Outcome([self._message(Kind.GAP, "gap", gap)]))
            await self._clock.sleep(GAP_EVERY)

    async def _remarking(self) -> None:
        while True:
            what, why = await self._remarks.get()
            _log.warning("%s: %s", what, why)
            await self._sinks.accept(Outcome([self._message(Kind.EVENT, f"hub.{what}", HubEventData(what, why))]))

    async def _health(self) -> None:
        health = Health(self._gauges, self._plan.state, self._clock.monotonic())
        while True:
            await self._clock.sleep(self._plan.health_every)
            depths = Depths(
                pipe=len(self._pipe),
                pipe_dropped=self._pipe.dropped,
                journal=self._journal.depth(),
                journal_bytes=self._journal.size(),
                board_dropped=self._board.dropped,
            )
            self._say(Kind.HEALTH, "health", health.report(self._clock.monotonic(), depths))

    async def _lag(self) -> None:
        """How late the loop is, smoothed over about ten seconds; and whether the journal still takes events."""
        refusing = False
        while True:
            before = self._clock.monotonic()
            await self._clock.sleep(LAG_TICK)
            late = max(self._clock.monotonic() - before - LAG_TICK, 0.0)
            self._gauges.lag += (late - self._gauges.lag) * 0.05
            if self._gauges.refusing is not refusing:
                refusing = self._gauges.refusing
                self._say(Kind.STATUS, "status", self._status("online"))

    async def _prune(self) -> None:
        while True:
            await self._clock.sleep(PRUNE_EVERY)
            try:
                await self._journal.forget(self._clock.utc() - self._plan.keep_days * DAY)
            except JournalError as error:
                _log.error("old events stay for now: %s", error)

    def _status(self, state: str) -> StatusData:
        gauges = self._gauges
        return StatusData(
            state, instant(self._clock.utc()), self._plan.boot, gauges.delivery, accepting=not gauges.refusing
        )

    def _say(self, kind: Kind, word: str, data: AnyPayload) -> None:
        self._board.post(self._latest(self._message(kind, word, data)))

    def _message(self, kind: Kind, word: str, data: AnyPayload | None) -> Message:
        now = self._clock.stamp()
        return Message(kind=kind, type=word, id=self._plan.setting.ids(), time=now.utc, mono=now.mono, data=data)

    def _stored(self, message: Message, sequence: int | None, recorded: float) -> Outgoing:
        return outgoing(message, self._plan.encoder.encode(message, sequence, recorded), self._plan.topics)

    def _latest(self, message: Message) -> Outgoing:
        return outgoing(message, self._plan.encoder.encode(message), self._plan.topics)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel and wait; what they raise otherwise is their group's business."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def will(topics: Topics, encoder: Encoder, clock: Clock, boot: str) -> Outgoing:
    """The message that the broker publishes when this hub vanishes."""
    data = StatusData("lost", None, boot)
    message = Message(kind=Kind.STATUS, type="status", id=clock.ulid(), time=clock.utc(), mono=0.0, data=data)
    return outgoing(message, encoder.encode(message), topics)
