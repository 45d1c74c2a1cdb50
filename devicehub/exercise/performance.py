"""One performance of a scenario: its acts as they come, and what the instructor changes of that."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from devicehub.commands.verbs import CommandError
from devicehub.exercise.acts import Act, acts
from devicehub.exercise.course import Course
from devicehub.exercise.load import timeline
from devicehub.exercise.marks import REMARK, Injected, Mark, Word
from devicehub.exercise.progress import Said, State
from devicehub.exercise.scenery import Scenery
from devicehub.exercise.schema import Scenario, Step, Words
from devicehub.exercise.timed import ECHO
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Hub
from devicehub.model.command import CommandState

INJECTED: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a scenario is performed.

    `held`: its time stands still until the instructor lets it go on. `stay`: hub and page stay once it is over, until
    the instructor ends them. `speed`: times as fast as the wall clock; `pace` changes that, where it can be changed.
    `told`: hears what is said. `trainee`: who answers, if it is no person.
    """

    held: bool = False
    stay: bool = False
    speed: float = 1.0
    pace: Callable[[float], None] | None = None
    told: Callable[[Words], None] = lambda _: None
    trainee: type[Trainee] | None = None


class Performance:
    """Every step, and everything that the instructor does, is the event `hub.exercise`, by which it is judged."""

    def __init__(self, scenario: Scenario, scenery: Scenery, manner: Manner, met: Callable[[str], bool]) -> None:
        """`met`: whether what is expected of the step of that id is met so far."""
        self.scenario = scenario
        self.said: list[Said] = []
        self.speed = manner.speed
        self._scenery = scenery
        self._manner = manner
        self._met = met
        self._paths = {""}
        self._course = Course(timeline(scenario))
        self._hub: Hub | None = None
        self._changed = asyncio.Event()
        self._left = asyncio.Event()
        self._over = False

    @property
    def state(self) -> State:
        """Where it is."""
        if self._over:
            return State.OVER
        return State.PAUSED if self._course.paused else State.RUNNING

    def at(self) -> float:
        """Seconds since the beginning."""
        return self._course.at(self._scenery.clock.monotonic())

    async def play(self, hub: Hub) -> None:
        """Everything, until its end."""
        self._hub = hub
        clock = self._scenery.clock
        self._course.begin(clock.monotonic())
        self._mark(Word.BEGINS)
        if self._manner.held:
            self.pause()
        while (act := self._course.due(clock.monotonic())) is None or act.verb != "end":
            if act is None:
                await self._passed(self._course.wait(clock.monotonic()))
            elif act.path in self._paths:
                await self._do(act, hub)
        self._mark(Word.STEP, str(act.step))
        self._over = True
        await clock.sleep(ECHO)
        if self._manner.stay:
            await self._left.wait()

    def pause(self) -> None:
        """The time of the scenario stands still. Raises `CommandError`."""
        _refuse(f"the exercise is {self.state} already", when=self._over or self._course.paused)
        self._course.pause(self._scenery.clock.monotonic())
        self._mark(Word.PAUSES)
        self._changed.set()

    def resume(self) -> None:
        """The time of the scenario goes on. Raises `CommandError`."""
        _refuse(f"the exercise is {self.state}", when=self.state is not State.PAUSED)
        self._course.resume(self._scenery.clock.monotonic())
        self._mark(Word.RESUMES)
        self._changed.set()

    def hurry(self, speed: float) -> None:
        """All time of this hub goes so many times as fast as the wall clock. Raises `CommandError`."""
        pace = self._manner.pace
        if pace is None:
            raise CommandError("its time has no pace to be changed", CommandState.REJECTED)
        pace(speed)
        self.speed = speed
        self._mark(Word.SPEED, f"{speed:g}")

    async def inject(self, step: Step) -> None:
        """Do a step that is in no scenario, now. Raises `CommandError`; `ValueError` for what it cannot be."""
        _refuse(f"the exercise is {self.state}", when=self._over)
        if self._hub is None:
            raise CommandError("the exercise has not begun", CommandState.REJECTED)
        first, *later = (replace(act, at=act.at - step.at + self.at()) for act in acts(INJECTED, step))
        await self._do(first, self._hub)
        self._course.insert(later)
        self._changed.set()

    def end(self) -> None:
        """End the exercise; once it is over, hub and page."""
        if self._over:
            self._left.set()
            return
        self._course.insert([Act(0.0, len(self.scenario.at) - 1, "end")])
        self._changed.set()

    def _mark(self, word: Word, rest: str = "") -> None:
        if self._hub is not None:
            self._hub.remark(REMARK, Mark(self.scenario.scenario.id, word, rest).written())

    async def _passed(self, seconds: float | None) -> None:
        """Until the next act is due, or the instructor changed something."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def _do(self, act: Act, hub: Hub) -> None:
        if act.step == INJECTED and not act.aside:
            done = Injected(act.verb, act.device, act.values)
            self._mark(Word.INJECTS, msgspec.json.encode(done).decode())
        elif not act.aside:
            self._mark(Word.STEP, str(act.step))
        if act.verb == "branch":
            self._take(str(act.values.get("met" if self._met(str(act.values["on"])) else "missed", "")))
        if act.verb == "say":
            self.said.append(Said(round(self.at(), 1), act.text))
            self._manner.told(act.text)
        await self._scenery.do(act, hub)

    def _take(self, path: str) -> None:
        """Go on by a path; by none where it is empty."""
        if path:
            self._paths.add(path)
            self._mark(Word.TAKES, path)


def _refuse(why: str, *, when: bool) -> None:
    if when:
        raise CommandError(why, CommandState.REJECTED)
