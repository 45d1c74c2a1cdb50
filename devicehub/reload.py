"""A configuration that was read again takes effect: device by device, and nobody else notices.

Reloads are made one after the other. One that cannot be used changes nothing. The devices that it concerns are
stopped first, then what they said is waited for, then everything changes between two steps of the core: each reading
is judged by the one configuration or by the other. What takes the place of stopped devices starts last.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from devicehub.core import Core, Outcome
from devicehub.crew import Crew
from devicehub.earlier import forgotten
from devicehub.journal import tables
from devicehub.model.errors import ConfigError, DeviceHubError
from devicehub.model.message import Kind, Message
from devicehub.model.segment import unicode_text
from devicehub.pipe import Pipe
from devicehub.plan import Reread, Revision
from devicehub.stages import Sinks
from devicehub.timers import Pace
from devicehub.voice import Voice

_log = logging.getLogger(__name__)

PROBLEMS: Final = 5
REMOVED: Final = "it is no longer configured"
CHANGED: Final = "its configuration was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What of a running hub a reload concerns."""

    core: Core
    pipe: Pipe
    crew: Crew
    sinks: Sinks
    voice: Voice
    pace: Pace


class Reload:
    """Makes one reload after the other."""

    def __init__(self, reread: Reread, parts: Parts) -> None:
        self._reread = reread
        self._parts = parts
        self._asked: list[asyncio.Future[str]] = []
        self._wake = asyncio.Event()
        self._ended = False

    async def ask(self) -> str:
        """Reload, after what was asked for before; gives what changed.

        Raises `ConfigError` or `JournalError` when nothing did. A caller that is cancelled does not stop it: no
        reload is made by half.
        """
        if self._ended:
            raise _stopping()
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._wake.set()
        return await answer

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Reload whenever somebody asks, for ever. `group`: where devices run."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._asked:
                    outcome = await self._outcome(group)
                    _settle(self._asked.pop(0), outcome)
        finally:
            self._ended = True
            for answer in self._asked:
                _settle(answer, _stopping())

    async def _outcome(self, group: asyncio.TaskGroup) -> str | DeviceHubError:
        try:
            revision = await self._reread()
            await self._announce(revision)
        except DeviceHubError as error:
            await self._failed(error)
            return error
        await self._apply(revision, group)
        return revision.summary

    async def _announce(self, revision: Revision) -> None:
        """Have it remembered whose states a broker will retain. Raises `JournalError`."""
        work = partial(tables.announce, devices=tuple(revision.setting.devices))
        await self._parts.sinks.journal.file(work)

    async def _failed(self, error: DeviceHubError) -> None:
        lines = unicode_text(str(error)).splitlines()
        for line in lines:
            _log.error("configuration not taken: %s", line)
        more = [f"and {len(lines) - PROBLEMS} more"] if len(lines) > PROBLEMS else []
        event = self._parts.voice.event("reload-failed", "\n".join(lines[:PROBLEMS] + more))
        await self._parts.sinks.accept(Outcome([event]))

    async def _apply(self, revision: Revision, group: asyncio.TaskGroup) -> None:
        parts = self._parts
        parts.pace.change(revision.upkeep)
        parts.sinks.journal.quota.limit = revision.upkeep.journal_limit
        leaving = dict.fromkeys(revision.stopped, REMOVED) | dict.fromkeys(revision.restarted, CHANGED)
        await parts.crew.stop(leaving)
        await parts.pipe.drained(leaving)
        await parts.sinks.accept(Outcome(list(self._changed(revision))))
        parts.crew.start(revision.take(), revision.setting.devices, group)
        _log.info("configuration taken: %s", revision.summary)

    def _changed(self, revision: Revision) -> Iterator[Message]:
        """Everything changes at this moment; what is to be told of it."""
        parts = self._parts
        parts.pipe.revise(revision.setting.devices)
        parts.voice.say(Kind.INFO, "info", revision.info)
        yield parts.voice.event("reloaded", revision.summary)
        yield from forgotten(parts.voice, revision.restarted, (Kind.STATE,))
        yield from parts.core.revise(revision.setting, revision.restarted, parts.sinks.clock.stamp())
        yield from forgotten(parts.voice, revision.stopped)


def _stopping() -> ConfigError:
    return ConfigError("the hub is stopping")


def _settle(answer: asyncio.Future[str], outcome: str | DeviceHubError) -> None:
    """Tell a caller, unless it left."""
    if answer.done():
        return
    if isinstance(outcome, DeviceHubError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
