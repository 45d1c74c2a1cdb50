"""A configuration that was read again takes effect: device by device, and nobody else notices.

Reloads are made one after the other. One that cannot be used changes nothing. The devices that it concerns are
stopped first, then what they said is waited for, then everything changes between two steps of the core: each reading
is judged by the one configuration or by the other. What takes the place of stopped devices starts last.

While the disk takes nothing, that waits, as everything does. How much the journal may hold changes at once all the
same: it may be why the disk takes nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from devicehub.core import Outcome, Station
from devicehub.hub.crew import Crew, cancelled
from devicehub.hub.earlier import forgotten
from devicehub.hub.plan import Reread, Revision
from devicehub.hub.timers import Pace, Remarks
from devicehub.hub.voice import Voice
from devicehub.journal import tables
from devicehub.model.errors import ConfigError, DeviceHubError
from devicehub.model.message import Kind, Message
from devicehub.model.segment import unicode_text
from devicehub.pipe import Pipe
from devicehub.process import Sinks

_log = logging.getLogger(__name__)

PROBLEMS: Final = 5
REMOVED: Final = "it is no longer configured"
CHANGED: Final = "its configuration was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What of a running hub a reload concerns."""

    station: Station
    pipe: Pipe
    crew: Crew
    sinks: Sinks
    voice: Voice
    pace: Pace
    remarks: Remarks


class Reload:
    """Makes one reload after the other."""

    def __init__(self, reread: Reread, parts: Parts) -> None:
        self._reread = reread
        self._parts = parts
        self._asked: deque[asyncio.Future[str]] = deque()
        self._wake = asyncio.Event()
        self._applying: list[asyncio.Task[None]] = []
        self._ended = False

    def ask(self) -> asyncio.Future[str]:
        """Reload, after what was asked for before; what changed.

        The future raises `ConfigError` or `JournalError` when nothing did; to cancel it does not stop the reload,
        since none is made by half.
        """
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_heeded)
        self._asked.append(answer)
        self._wake.set()
        if self._ended:
            self._refuse()
        return answer

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Reload whenever somebody asks, for ever. `group`: where devices run."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._asked:
                    await self._next(group)
        finally:
            self._ended = True
            await cancelled(self._applying)
            self._refuse()

    async def _next(self, group: asyncio.TaskGroup) -> None:
        """Read and decide; what is decided happens in a task of its own, after those before."""
        try:
            revision = await self._reread()
            await self._announce(revision)
        except DeviceHubError as error:
            self._failed(error)
            _settle(self._asked.popleft(), error)
            return
        revision.take()
        self._parts.pace.change(revision.upkeep)
        self._parts.sinks.journal.quota.limit = revision.upkeep.journal_limit
        self._applying = [task for task in self._applying if not task.done()]
        work = self._apply(revision, self._asked.popleft(), group, list(self._applying))
        self._applying.append(group.create_task(work))

    async def _announce(self, revision: Revision) -> None:
        """Have it remembered of whom a broker will retain states from now on. Raises `JournalError`."""
        added = [post.device for post in revision.posts if post.device not in revision.restarted]
        if added:
            await self._parts.sinks.journal.file(partial(tables.announce, devices=added))

    def _failed(self, error: DeviceHubError) -> None:
        lines = unicode_text(str(error)).splitlines()
        for line in lines:
            _log.error("configuration not taken: %s", line)
        more = [f"and {len(lines) - PROBLEMS} more"] if len(lines) > PROBLEMS else []
        self._parts.remarks.put(self._parts.voice.event("reload-failed", "\n".join(lines[:PROBLEMS] + more)))

    async def _apply(
        self,
        revision: Revision,
        answer: asyncio.Future[str],
        group: asyncio.TaskGroup,
        before: Sequence[asyncio.Task[None]],
    ) -> None:
        parts = self._parts
        try:
            if before:
                await asyncio.wait(before)
            leaving = dict.fromkeys(revision.stopped, REMOVED) | dict.fromkeys(revision.restarted, CHANGED)
            await parts.crew.stop(leaving)
            await parts.pipe.drained(leaving)
            outcome = Outcome(list(self._changed(revision)))
            parts.crew.start(revision.posts, revision.setting.devices, group)
            await parts.sinks.accept(outcome)
            if revision.rules is not None:
                await revision.rules.remember()
            _log.info("configuration taken: %s", revision.summary)
            _settle(answer, revision.summary)
        finally:
            _settle(answer, _stopping())

    def _changed(self, revision: Revision) -> Iterator[Message]:
        """Everything changes at this moment; what is to be told of it."""
        parts = self._parts
        parts.pipe.revise(revision.setting.devices)
        parts.voice.say(Kind.INFO, "info", revision.info)
        yield parts.voice.event("reloaded", revision.summary)
        yield from parts.voice.rules(revision.rules)
        yield from forgotten(parts.voice, revision.restarted, (Kind.STATE,))
        yield from parts.station.revise(revision.setting, revision.restarted, parts.sinks.clock.stamp())
        yield from forgotten(parts.voice, revision.stopped)

    def _refuse(self) -> None:
        while self._asked:
            _settle(self._asked.popleft(), _stopping())


def _stopping() -> ConfigError:
    return ConfigError("the hub is stopping")


def _settle(answer: asyncio.Future[str], outcome: str | DeviceHubError) -> None:
    """Tell whoever asked, unless that is done or nobody waits any more."""
    if answer.done():
        return
    if isinstance(outcome, DeviceHubError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _heeded(answer: asyncio.Future[str]) -> None:
    """An answer that nobody waits for, since a signal asked, is no error that nobody saw: it is an event."""
    if not answer.cancelled():
        answer.exception()
