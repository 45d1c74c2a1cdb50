"""The running hub: built from the sinks, stopped from the sources.

Knows every stage and no concrete edge: links, broker connection, journal file and clock are given.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from functools import partial

from devicehub.board import Board
from devicehub.clock import Clock, clock_quality
from devicehub.commands.desk import Desk, Surroundings
from devicehub.commands.judging import Scene
from devicehub.commands.verbs import Verbs
from devicehub.core import Outcome, Station
from devicehub.deliver import Delivery, Hooks
from devicehub.deliver.selftest import SelfTest, Telling
from devicehub.evidence import EvidenceStore, evidence_folder
from devicehub.health import Figures, Gauges, Health
from devicehub.hub import earlier, timers
from devicehub.hub.amending import Amending
from devicehub.hub.crew import cancelled, watched
from devicehub.hub.plan import Plan
from devicehub.hub.reload import Parts, Reload
from devicehub.hub.timers import Pace, Remarks
from devicehub.hub.verbs import Reach, register
from devicehub.hub.voice import Voice
from devicehub.journal import Entry, Journal, rebuild, tables
from devicehub.model.message import Kind
from devicehub.pipe import Pipe
from devicehub.process import Process, Sinks
from devicehub.publish.port import Incoming, Publisher
from devicehub.view import View

_log = logging.getLogger(__name__)

DRAIN = 3.0
ANSWER = 1.0
GAP_EVERY = 1.0


class Hub:
    """One run of the hub."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._gauges = Gauges()
        self._started: float | None = None
        board = Board()
        self._voice = Voice(plan, board, self._gauges, clock)
        limit = plan.upkeep.journal_limit
        self._journal = Journal(plan.state / "journal.sqlite", self._voice.stored, clock, plan.executor, limit=limit)
        folder = evidence_folder(plan.state, exercise=plan.topics.exercise)
        evidence = EvidenceStore(folder, plan.evidence_executor)
        self._sinks = Sinks(self._journal, board, evidence, self._voice.latest, self._gauges, clock)
        self._remarks = Remarks(self._sinks, self._voice)
        hooks = Hooks(
            connected=self._on_connected,
            incoming=self._on_incoming,
            deaf=self._on_deaf,
            filters=[plan.topics.receipts, plan.topics.commands],
        )
        self._delivery = Delivery(
            self._journal,
            board,
            plan.connect,
            clock,
            self._gauges,
            hooks=hooks,
            remark=self._remarks.add,
            window=plan.window,
        )
        self._selftest = self._listening()
        self._pipe = Pipe(plan.setting.devices)
        self._station = Station(plan.setting)
        self._crew = watched(plan, self._pipe, clock)
        self._pace = Pace(plan.upkeep)
        self._reload = Reload(plan.reread, self._parts())
        self._desk = self._commanded()
        if plan.view is not None:
            board.read(plan.view.post)
            self._journal.listen(partial(_published, plan.view))

    def command(self, message: Incoming) -> None:
        """Take a command that did not come over MQTT as if it had."""
        self._desk.take(message)

    def connected(self) -> bool:
        """Whether there is a connection to the broker at this moment."""
        return self._gauges.connected

    def wake(self) -> None:
        """Something was plugged in: try every absent device now."""
        self._crew.wake()

    def remark(self, what: str, why: str) -> None:
        """Something about the whole hub that its subscribers should know: the event `hub-{what}`."""
        self._remarks.add(what, why)

    def figures(self) -> Figures | None:
        """How it stands with all of it at this moment, in numbers; None before it has begun."""
        if self._started is None:
            return None
        now, depths = self._clock.monotonic(), timers.depths(self._pipe, self._sinks, self._delivery)
        return Figures(now, now - self._started, self._gauges, depths, self._station.census())

    def sounded(self, how: str) -> None:
        """Whether an alarm could be sounded: "ok", or why not. Health says so, and a change is an event."""
        timers.sounded(self._gauges, self._remarks, how)

    def reload(self) -> asyncio.Future[str]:
        """Read the configuration again and have it take effect; what changed, which is an event as well.

        The future raises `ConfigError` or `JournalError` when nothing did. Nobody needs to wait for it.
        """
        return self._reload.ask()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then drain. Raises `JournalError` when the journal cannot be opened."""
        await self._journal.open(self._plan.setting.devices)
        self._voice.epoch = self._journal.epoch
        await self._begin()
        self._started = self._clock.monotonic()
        process = Process(self._pipe, self._station, self._sinks, self._plan.progress, self._clock)
        async with asyncio.TaskGroup() as group:
            deliver = group.create_task(self._delivery.run())
            desk = group.create_task(self._desk.run())
            gaps = group.create_task(self._gaps())
            worker = group.create_task(process.run())
            developing = group.create_task(self._sinks.develop())
            running = [group.create_task(work) for work in (self._reload.run(group), process.tick(), *self._timers())]
            self._crew.start(self._plan.posts, self._plan.setting.devices, group)
            await stop.wait()
            _log.info("stopping")
            await cancelled(running)
            await self._crew.end()
            self._desk.close()
            await _ended(desk, ANSWER)
            self._pipe.close()
            await self._drained(worker)
            await _ended(group.create_task(self._sinks.exposed.join()), DRAIN)
            await cancelled([developing])
            await self._end(deliver)
            self._selftest.close()
            await self._delivery.close()
            await _ended(gaps, DRAIN)
        await self._journal.close()

    def _timers(self) -> Iterator[Coroutine[None, None, None]]:
        """What is done again and again beside the work."""
        health = Health(self._gauges, self._plan.state, self._clock.monotonic())
        depths = partial(timers.depths, self._pipe, self._sinks, self._delivery)
        yield timers.health(self._pace, health, depths, self._voice, self._clock)
        yield timers.troubles(self._gauges, health, depths, self._voice, self._clock)
        yield timers.lag(self._sinks, self._voice)
        yield self._sinks.evidence.count()
        yield timers.clocks(self._sinks.clock, self._remarks)
        yield timers.prune(self._pace, self._sinks, self._delivery)
        yield self._remarks.run()

    async def _begin(self) -> None:
        """Tell what runs here, and take over what earlier runs left. Raises `JournalError`."""
        now, setting, voice = self._clock.stamp(), self._plan.setting, self._voice
        voice.say(Kind.INFO, "info", self._plan.info())
        retained = await self._journal.file(tables.standing)
        standing, ended, entries = earlier.standing_alarms(retained, self._plan.topics, voice)
        left, lost = earlier.open_inspections(retained, self._plan.topics, voice)
        taken = await self._journal.file(tables.taken)
        await self._delivery.resume(entries)
        if self._plan.view is not None:
            self._plan.view.extend(entry.out for entry in entries)
        messages = [
            *self._station.births(now),
            *earlier.forgotten(voice, self._journal.former),
            *earlier.forgotten(voice, setting.devices, (Kind.STATE,)),
            voice.event("started"),
            *voice.rules(self._plan.rules),
            *ended,
            *lost,
            *self._station.resume(standing, now, left, taken),
            *earlier.unknown_interval(voice, self._journal, now),
            *earlier.damaged(voice, self._journal),
        ]
        await self._sinks.accept(Outcome(messages))
        if self._plan.rules is not None:
            await self._plan.rules.remember()
        if self._journal.damages:
            await self._journal.file(rebuild.told)
        await self._desk.resume(await earlier.commands(self._journal, now))

    async def _drained(self, worker: asyncio.Task[None]) -> None:
        """What was read is made durable; a disk that takes nothing must not keep the hub from ending."""
        done, _ = await asyncio.wait([worker], timeout=DRAIN)
        if not done:
            _log.error("%d readings were not accepted before the end", len(self._pipe))
            await cancelled([worker])

    async def _end(self, deliver: asyncio.Task[None]) -> None:
        """Say goodbye and wait for what is still to be delivered, if there is somebody to take it."""
        with suppress(TimeoutError):  # the sinks have said that the disk takes nothing
            async with asyncio.timeout(DRAIN):
                missing = self._station.finish(self._clock.stamp())
                last = [*missing, *self._remarks.rest(), self._voice.event("stopped")]
                await self._sinks.accept(Outcome(last))
        self._voice.status("offline")
        self._delivery.finish()
        if self._gauges.connected:
            await asyncio.wait([deliver], timeout=DRAIN)
        await cancelled([deliver])

    async def _gaps(self) -> None:
        """Numbers that will not come by themselves, told once a second, until the end."""
        while gaps := await self._delivery.gaps():
            await self._sinks.accept(Outcome([self._voice.message(Kind.GAP, "gap", gap) for gap in gaps]))
            await self._clock.sleep(GAP_EVERY)

    def _on_connected(self, publisher: Publisher) -> None:
        self._gauges.delivery = publisher.delivery
        self._selftest.connected(publisher)
        self._voice.status("online")

    def _on_incoming(self, message: Incoming) -> None:
        if self._plan.topics.is_command(message.topic):
            self._desk.take(message)
        elif self._selftest.wants(message.topic):
            self._selftest.heard(message)
        else:
            self._delivery.receipt(message)

    def _on_deaf(self, why: str) -> None:
        self._remarks.add("deaf", f"this hub does not hear all that it should: {why}")

    def _listening(self) -> SelfTest:
        telling = Telling(
            remark=self._remarks.add,
            changed=lambda: self._voice.status("online"),
            durable=lambda: any(stream.consumers for stream in self._delivery.watermarks()[0].values()),
        )
        test = SelfTest(
            self._plan.topics,
            self._clock,
            self._gauges,
            telling,
            period=lambda: self._pace.upkeep.health_every,
            own_broker=self._plan.own_broker,
        )
        self._voice.listen(test.said)
        return test

    def _commanded(self) -> Desk:
        verbs = Verbs()
        reach = Reach(
            station=self._station,
            pipe=self._pipe,
            sinks=self._sinks,
            crew=self._crew,
            delivery=self._delivery,
            reload=self.reload,
            change=Amending(self._plan.amend, self.reload).change,
            echo=self._selftest.echo,
            synchronised=lambda: clock_quality().synchronised,
            clock=self._clock,
        )
        register(verbs, reach)
        for one in self._plan.verbs:
            verbs.add(*one)
        around = Surroundings(
            topics=self._plan.topics,
            scene=Scene(verbs, self._crew.commanded),
            accept=lambda messages: self._sinks.accept(Outcome(list(messages))),
            remark=self._remarks.add,
            ids=self._plan.setting.ids,
            synchronised=lambda: clock_quality().synchronised,
        )
        return Desk(around, self._clock)

    def _parts(self) -> Parts:
        return Parts(
            station=self._station,
            pipe=self._pipe,
            crew=self._crew,
            sinks=self._sinks,
            voice=self._voice,
            pace=self._pace,
            remarks=self._remarks,
        )


def _published(view: View, entries: Sequence[Entry]) -> None:
    view.extend(entry.out for entry in entries)


async def _ended(task: asyncio.Task[None], seconds: float) -> None:
    """Wait for what is about to end, and end it when it does not."""
    await asyncio.wait([task], timeout=seconds)
    await cancelled([task])
