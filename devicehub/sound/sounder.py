"""Plays the alarm by a program of the workstation, and tells whether that could be done."""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devicehub.clock import Clock
from devicehub.health import SOUND_OK
from devicehub.model.alarm import AlarmCategory, Priority
from devicehub.model.payload import AlarmData
from devicehub.publish.envelope import stored_alarm
from devicehub.publish.port import Outgoing
from devicehub.sound.patterns import Call, due, sound
from devicehub.view import View

PATIENCE: Final = 5.0
AGAIN: Final = 10.0
SAID_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounding:
    """How alarms are heard.

    `player`: a program and its arguments; the file that it is to play comes last. `least`: the least urgent priority
    that is heard. `place`: where the topics of alarms begin. `folder`: where the sounds are kept. `told`: called with
    "ok", or with why it could not be heard.
    """

    player: Sequence[str]
    least: Priority
    place: str
    folder: Path
    told: Callable[[str], None]


class Sounder:
    """Heard for as long as it runs, see `run`."""

    def __init__(self, sounding: Sounding, view: View, clock: Clock) -> None:
        self._sounding = sounding
        self._view = view
        self._clock = clock
        self._standing: dict[str, AlarmData] = {}

    async def run(self) -> None:
        """For ever. Begins with one burst of the least urgent sound: whoever sits there hears that it works.

        Whoever acknowledges, silences or shelves cuts off what is heard.
        """
        with self._view.watched() as (latest, watcher):
            self._take(latest)
            await self._play(Call(Priority.LOW, AlarmCategory.DEVICE))
            async with asyncio.TaskGroup() as group:
                call, calling = None, None
                while True:
                    now = due(self._standing.values(), self._sounding.least)
                    if now != call:
                        await _cut_off(calling)
                        call, calling = now, None if now is None else group.create_task(self._repeat(now))
                    self._take((await watcher.news()).messages)

    async def _repeat(self, call: Call) -> None:
        """Until it is cut off."""
        while True:
            began = self._clock.monotonic()
            good = await self._play(call)
            lasted = self._clock.monotonic() - began
            await self._clock.sleep(call.burst.every - lasted if good else AGAIN)

    async def _play(self, call: Call) -> bool:
        """Whether it was heard, as far as the program can tell."""
        why = await self._played(call)
        self._sounding.told(why or SOUND_OK)
        return not why

    async def _played(self, call: Call) -> str:
        """Why it was not played; nothing where it was."""
        path, player = self._sounding.folder / f"{call.name}.wav", self._sounding.player
        most = call.burst.lasts + PATIENCE
        try:
            if not path.exists():
                path.write_bytes(sound(call))
            process = await asyncio.create_subprocess_exec(
                *player, str(path), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
            )
        except OSError as error:
            return f"{player[0]}: {error.strerror}"
        try:
            async with asyncio.timeout(most):
                _, said = await process.communicate()
        except TimeoutError:
            return f"{player[0]}: did not end within {most:.0f} s"
        finally:
            await _ended(process)
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        return "" if process.returncode == 0 else f"{player[0]}: {''.join(last)[:SAID_MOST] or process.returncode}"

    def _take(self, messages: Sequence[Outgoing]) -> None:
        for out in messages:
            if not out.topic.startswith(self._sounding.place):
                continue
            if out.payload:
                self._standing[out.topic] = stored_alarm(out.payload)
            else:
                self._standing.pop(out.topic, None)


async def _cut_off(calling: asyncio.Task[None] | None) -> None:
    if calling is not None:
        calling.cancel()
        await asyncio.wait([calling])


async def _ended(process: Process) -> None:
    """It does not go on when nobody wants to hear it any more."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
