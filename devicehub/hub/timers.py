"""What the hub does by the clock: tells of its health, looks how late it is, forgets what is old."""

import asyncio
import logging
from collections.abc import Callable

from devicehub.clock import Clock
from devicehub.core import Outcome
from devicehub.core.clocks import ClockWatch, Finding, Look
from devicehub.deliver import Delivery
from devicehub.health import SOUND_OFF, SOUND_OK, Depths, Gauges, Health
from devicehub.hub.plan import Upkeep
from devicehub.hub.voice import Voice
from devicehub.model.errors import JournalError
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import GapData, HubEventData
from devicehub.pipe import Pipe
from devicehub.process import Sinks

_log = logging.getLogger(__name__)

LAG_TICK = 0.5
PRUNE_EVERY = 600.0
DAY = 86_400.0
REMARKS_MOST = 256


class Pace:
    """How often what is done, which may change while somebody waits for the next time."""

    def __init__(self, upkeep: Upkeep) -> None:
        self.upkeep = upkeep
        self._changed = asyncio.Event()

    def change(self, upkeep: Upkeep) -> None:
        """Another upkeep: whoever waits by the old one is told."""
        self.upkeep = upkeep
        self._changed.set()
        self._changed = asyncio.Event()

    async def passed(self, seconds: float) -> bool:
        """Wait; False when the upkeep changed before the time was over."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return True
        return False


async def health(pace: Pace, memory: Health, depths: Callable[[], Depths], voice: Voice, clock: Clock) -> None:
    """Tell of the hub's health, for ever."""
    while True:
        if await pace.passed(pace.upkeep.health_every):
            voice.say(Kind.HEALTH, "health", memory.report(clock.monotonic(), depths()))


async def troubles(gauges: Gauges, memory: Health, depths: Callable[[], Depths], voice: Voice, clock: Clock) -> None:
    """Tell of the hub's health at once when the broker refuses more, does not hand on, or nobody hears alarms."""
    told = (0, False, False, gauges.sound)
    while True:
        await clock.sleep(LAG_TICK)
        if told != (now := (gauges.refused, gauges.silent, gauges.unheard > 0, gauges.sound)):
            told = now
            voice.say(Kind.HEALTH, "health", memory.report(clock.monotonic(), depths()))


def depths(pipe: Pipe, sinks: Sinks, delivery: Delivery) -> Depths:
    """How much waits where at this moment."""
    streams, quarantined = delivery.watermarks()
    evidence = sinks.evidence.held
    return Depths(
        pipe=len(pipe),
        pipe_dropped=pipe.dropped,
        journal=sum(sinks.journal.depths.values()),
        journal_bytes=sinks.journal.size(),
        board_dropped=sinks.board.dropped,
        streams=streams,
        quarantined=quarantined,
        evidence_files=None if evidence is None else evidence.files,
        evidence_bytes=None if evidence is None else evidence.size,
    )


async def lag(sinks: Sinks, voice: Voice) -> None:
    """How late the loop is, smoothed over ten seconds; whether journal and broker take all and somebody hears it."""
    gauges, clock = sinks.gauges, sinks.clock
    told = (False, False, False)
    while True:
        before = clock.monotonic()
        await clock.sleep(LAG_TICK)
        late = max(clock.monotonic() - before - LAG_TICK, 0.0)
        gauges.lag += (late - gauges.lag) * 0.05
        if (gap := sinks.refused.take()) is not None:
            await sinks.accept(Outcome([voice.message(Kind.GAP, "gap", gap)]))
        if told != (now := (gauges.refusing, gauges.refused_branches > 0, gauges.deserted(clock.monotonic()))):
            told = now
            voice.status("online")


async def clocks(clock: Clock, remarks: "Remarks") -> None:
    """Look whether the wall clock was set or the machine slept, for ever."""
    watch = ClockWatch(Look(clock.stamp(), clock.boot()))
    while True:
        await clock.sleep(LAG_TICK)
        finding = watch.look(Look(clock.stamp(), clock.boot()))
        if finding is not None:
            remarks.clocks(finding)


async def prune(pace: Pace, sinks: Sinks, delivery: Delivery) -> None:
    """Forget what was kept long enough, every ten minutes and at once when that time changes."""
    began = sinks.clock.stamp()
    while True:
        await pace.passed(PRUNE_EVERY)
        # A wall clock that jumps ahead makes nothing old, and a consumer that could not be heard was not silent.
        elapsed, keep = sinks.clock.monotonic() - began.mono, pace.upkeep.keep_days * DAY
        before = min(sinks.clock.utc(), began.utc + elapsed) - keep
        if elapsed >= keep:
            await delivery.lapse(before)
        try:
            await sinks.journal.forget(before)
        except JournalError as error:
            _log.error("old events stay for now: %s", error)


class Remarks:
    """What happens to the hub as a whole, written down by a task of its own so that nobody who remarks waits.

    So many wait, and no more: the rest is counted, and told in one event once half of those that wait are written down.
    """

    def __init__(self, sinks: Sinks, voice: Voice) -> None:
        self._sinks = sinks
        self._voice = voice
        self._queue: asyncio.Queue[Message] = asyncio.Queue(REMARKS_MOST)
        self._writing: list[Message] = []
        self._dropped = 0

    def add(self, what: str, why: str) -> None:
        """The event `hub.{what}`, of this moment."""
        _log.warning("%s: %s", what, why)
        self.put(self._voice.event(what, why))

    def put(self, event: Message) -> None:
        """An event that is in the log already."""
        if not self._queue.full():
            self._queue.put_nowait(event)
            return
        if not self._dropped:
            _log.error("more happens than is written down: from now on it is counted")
        self._dropped += 1

    def clocks(self, finding: Finding) -> None:
        """The event `hub.clock-stepped`, and the gap of a machine that slept."""
        if finding.stepped:
            why = f"the wall clock was set {finding.stepped:+.3f} s"
            _log.warning("%s", why)
            data = HubEventData("clock-stepped", why, finding.stepped)
            self.put(self._voice.message(Kind.EVENT, "hub.clock-stepped", data))
        if finding.slept:
            _log.warning("the machine slept for %.1f s", finding.slept)
            since, until = instant(finding.since.utc), instant(finding.until.utc)
            gap = GapData("hub", GapReason.SUSPENDED, since=since, until=until)
            self.put(self._voice.message(Kind.GAP, "gap", gap))

    def rest(self) -> list[Message]:
        """What was not written down before the end; what was just being written may be there twice, by one id."""
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        return [*self._writing, *waiting, *self._lost()]

    async def run(self) -> None:
        """Write them down, for ever."""
        while True:
            self._writing = [await self._queue.get(), *self._lost()]
            await self._sinks.accept(Outcome(self._writing))
            self._writing = []

    def _lost(self) -> list[Message]:
        """How many were dropped, once there is room for many again."""
        if not self._dropped or self._queue.qsize() > REMARKS_MOST // 2:
            return []
        count, self._dropped = self._dropped, 0
        return [self._voice.event("remarks-dropped", f"{count} remarks were not written down: too many at once")]


def sounded(gauges: Gauges, remarks: Remarks, how: str) -> None:
    """Whether an alarm could be sounded: "ok", or why not."""
    before, gauges.sound = gauges.sound, how
    if how not in {SOUND_OK, before}:
        remarks.add("sound-failed", f"alarms are not heard here: {how}")
    elif how == SOUND_OK and before not in {SOUND_OK, SOUND_OFF}:
        remarks.add("sound-restored", "alarms are heard again")
