"""The desk: takes what arrives, judges it, has it carried out, answers and records. Nothing that arrives raises.

A command is on record before it is begun, so that one that was accepted is never begun again, whatever dies; each of
its states is on record before it is answered, so that nobody heard of an end that the next run does not know. More
than a steady pace of them is not looked at but counted. So a flood fills the journal no faster than that pace: ten
commands a second, each with one record and one answer if it is refused and two of each if it is begun. Of short
commands that are refused this is 12 KB a second, 1 GB a day; of the longest that a client can think of 260 KB a second.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from devicehub.clock import Clock
from devicehub.commands.judging import Job, RefusedError, Scene, judged
from devicehub.commands.memory import CAPACITY, Known, Memory, alike
from devicehub.commands.pace import Pace
from devicehub.commands.records import Verdict, messages
from devicehub.commands.request import Rejection, Request, read
from devicehub.commands.verbs import CommandError
from devicehub.model.command import CommandState
from devicehub.model.message import Message
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics

_log = logging.getLogger(__name__)

WAITING_MOST: Final = 64
RUNNING_MOST: Final = 32
TELL_EVERY: Final = 1.0
_LATE = Verdict(CommandState.TIMEOUT, "its deadline passed before it could be begun")
_TAKEN = Verdict(CommandState.REJECTED, "another command had this id: each one needs its own")
_DIED = Verdict(CommandState.FAILED, "the hub ended meanwhile: whether it was done is not known")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the desk works with. `accept` stores messages and delivers them; `remark` tells the hub's subscribers.

    `synchronised`: whether the wall clock is known to be right; None where nobody knows.
    """

    topics: Topics
    scene: Scene
    accept: Callable[[Sequence[Message]], Awaitable[None]]
    remark: Callable[[str, str], None]
    ids: Callable[[], str]
    synchronised: Callable[[], bool | None]


class Desk:
    """Where all commands of one hub arrive. Use from one event loop."""

    def __init__(self, around: Surroundings, clock: Clock) -> None:
        self._around = around
        self._clock = clock
        self._memory = Memory()
        self._pace = Pace()
        self._arrivals: deque[Incoming] = deque()
        self._arrived = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._passed_over = 0
        self._told = -TELL_EVERY
        self._closed = False

    async def resume(self, known: Sequence[Known]) -> None:
        """Take over the commands of earlier runs, and end those that died with the hub."""
        for one in known:
            self._memory.note(one)
            if one.state is CommandState.ACCEPTED:
                await self._conclude(one, _DIED)

    def take(self, message: Incoming) -> None:
        """A command arrived. Never waits and never raises."""
        if len(self._arrivals) >= WAITING_MOST or not self._pace.take(self._clock.monotonic()):
            if not self._passed_over:
                _log.warning("more commands come than are looked at")
            self._passed_over += 1
        else:
            self._arrivals.append(message)
        self._arrived.set()

    def close(self) -> None:
        """No further commands: `run` ends with those that are under way."""
        self._closed = True
        self._arrived.set()

    async def run(self) -> None:
        """Look at what arrives, one after another, and have it carried out side by side, until `close`."""
        try:
            while not self._closed:
                self._tell_passed_over()
                if self._arrivals:
                    await self._handle(self._arrivals.popleft())
                else:
                    await self._something()
            if self._running:
                await asyncio.wait(self._running)
        finally:
            for task in self._running:
                task.cancel()

    async def _something(self) -> None:
        """Until a command arrives, or it is time to tell how many were not looked at."""
        self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(TELL_EVERY if self._passed_over else None):
                await self._arrived.wait()

    def _tell_passed_over(self) -> None:
        """At most once a second how many were not looked at."""
        now = self._clock.monotonic()
        if self._passed_over and now - self._told >= TELL_EVERY:
            count, self._passed_over, self._told = self._passed_over, 0, now
            self._around.remark("commands-dropped", f"{count} commands were not looked at: too many at once")

    async def _handle(self, message: Incoming) -> None:
        found = read(message, self._around.topics, self._clock.utc())
        if isinstance(found, Rejection):
            await self._say(found.request, Verdict(CommandState.REJECTED, self._with_clock(found.why)))
            return
        expires = self._clock.monotonic() + found.deadline - self._clock.utc()
        if (known := self._memory.find(found.id)) is not None:
            await self._repeat(known, found, expires)
            return
        try:
            job = self._judged(found)
        except RefusedError as refused:
            await self._say(found, Verdict(CommandState.REJECTED, str(refused)))
            return
        accepted = await self._accept(found, expires)
        if self._clock.monotonic() > expires:
            await self._conclude(accepted, _LATE)
        else:
            self._begin(accepted, job)

    async def _repeat(self, known: Known, request: Request, expires: float) -> None:
        """Its id was given before."""
        if not alike(known.request, request):
            await self._say(request, _TAKEN)
            return
        self._memory.note(structs.replace(known, until=expires))
        why = f"given before; {known.why}".removesuffix("; ")
        await self._say(request, Verdict(known.state, why, known.result), known.record)

    def _judged(self, request: Request) -> Job:
        if len(self._running) >= RUNNING_MOST:
            raise RefusedError(f"too many commands: {len(self._running)} are under way")
        if not self._memory.has_room(self._clock.monotonic()):
            raise RefusedError(f"too many commands: {CAPACITY} that may still come again are remembered")
        return judged(request, self._around.scene)

    def _begin(self, known: Known, job: Job) -> None:
        act = asyncio.ensure_future(job.act(known.until))
        patience = job.patience(self._clock.monotonic(), known.until)
        task = asyncio.get_running_loop().create_task(self._follow(known, act, patience))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _follow(self, known: Known, act: "asyncio.Future[Verdict]", patience: float) -> None:
        """Until it has come to its end, or nobody waits for that any more."""
        request = known.request
        try:
            done, _ = await asyncio.wait([act], timeout=patience)
            if done:
                await self._conclude(known, _outcome(act, request))
                return
            why = f"not finished within {patience:.0f} s; it may still be under way"
            await self._conclude(known, Verdict(CommandState.TIMEOUT, why))
            await asyncio.wait([act])
            _log.info("command %s/%s %s came to its end late", request.target, request.verb, request.id)
            act.exception()
        finally:
            act.cancel()

    async def _accept(self, request: Request, expires: float) -> Known:
        """It will be begun: remembered, recorded, answered."""
        verdict = Verdict(CommandState.ACCEPTED, self._with_clock(""))
        worded = self._worded(request, verdict)
        known = Known(request, verdict.state, expires, verdict.why, record=worded[0].id)
        self._memory.note(known)
        await self._tell(worded)
        return known

    async def _conclude(self, known: Known, verdict: Verdict) -> None:
        """It came to its end: remembered, recorded, answered."""
        ended = structs.replace(known, state=verdict.state, why=verdict.why, result=dict(verdict.result))
        self._memory.note(ended)
        await self._tell(self._worded(known.request, verdict, known.record))

    async def _say(self, request: Request, verdict: Verdict, cause: str = "") -> None:
        """An answer that changes nothing."""
        await self._tell(self._worded(request, verdict, cause))

    async def _tell(self, worded: Sequence[Message]) -> None:
        """The record, and once that is stored the answer, which would overtake it: answers travel with the alarms."""
        for message in worded:
            await self._around.accept([message])

    def _worded(self, request: Request, verdict: Verdict, cause: str = "") -> list[Message]:
        _log.info("command %s/%s %s: %s", request.target, request.verb, request.id, verdict.state)
        return messages(request, verdict, self._clock.stamp(), self._around.ids, cause)

    def _with_clock(self, why: str) -> str:
        """Whoever judges a deadline by a clock that may be wrong says so."""
        if self._around.synchronised() is not False:
            return why
        return f"{why}; the hub's clock is not synchronised".removeprefix("; ")


def _outcome(act: "asyncio.Future[Verdict]", request: Request) -> Verdict:
    error = act.exception()
    if error is None:
        return act.result()
    if isinstance(error, CommandError):
        return Verdict(error.state, str(error))
    _log.error("bug in the command %s/%s", request.target, request.verb, exc_info=error)
    return Verdict(CommandState.FAILED, f"{type(error).__name__}: {error}")
