"""The events of an exercise by its own time: without jumps of the clock that it made and without its pauses. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from devicehub.exercise.marks import INSTRUCTOR, Mark, Word, mark
from devicehub.exercise.schema import Scenario

ECHO: Final = 5.0
END: Final = "end"
JUMP: Final = "clock_jump"


class Fact(Struct, frozen=True):
    """One event: seconds since 1970, its type without the common prefix, `device/point`, and its data."""

    at: float
    word: str
    subject: str
    data: Mapping[str, object]


class Intervention(Struct, frozen=True):
    """What the instructor did, so many seconds after the beginning."""

    at: float
    mark: Mark


class Timed:
    """The course of an exercise so far. What happens in a pause happens at its beginning.

    `began`: when each step that happened did; `paths`: taken; `ended`: when the last step happened. What came more than
    `ECHO` seconds later is no part of the exercise.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.events: list[Fact] = []
        self.began: dict[int, float] = {}
        self.paths: set[str] = set()
        self.interventions: list[Intervention] = []
        self.ended: float | None = None
        self._scenario = scenario
        self._first: float | None = None
        self._left_out = 0.0
        self._stood: float | None = None

    def at(self, utc: float) -> float:
        """An instant of the wall clock by the time of the exercise."""
        return (utc if self._stood is None else self._stood) - self._left_out

    def add(self, fact: Fact) -> None:
        """The next event."""
        at = self.at(fact.at)
        if self.ended is None or at <= self.ended + ECHO:
            self.events.append(Fact(at, fact.word, fact.subject, fact.data))
        if (found := mark(fact.word, fact.data)) is not None:
            self._mark(found, at, fact.at)

    def _mark(self, found: Mark, at: float, utc: float) -> None:
        self._first = at if self._first is None else self._first
        if found.word in INSTRUCTOR:
            self.interventions.append(Intervention(round(at - self._first, 1), found))
        if found.word is Word.STEP:
            self._step(found.step, at)
        elif found.word is Word.TAKES:
            self.paths.add(found.rest)
        elif found.word is Word.INJECTS and found.injected.do == JUMP:
            self._jump(float(found.injected.values["seconds"]))
        elif found.word is Word.PAUSES:
            self._stood = utc
        elif found.word is Word.RESUMES and self._stood is not None:
            self._left_out += utc - self._stood
            self._stood = None

    def _step(self, number: int, at: float) -> None:
        self.began[number] = at
        step = self._scenario.at[number]
        if step.do == END:
            self.ended = at
        elif step.do == JUMP:
            self._jump(float(step.values["seconds"]))

    def _jump(self, seconds: float) -> None:
        """The scenario set the clock: all that comes is by the clock as it was."""
        self._left_out += seconds
        if self._stood is not None:
            self._stood += seconds


def timed(scenario: Scenario, facts: Iterable[Fact]) -> Timed:
    """All of them."""
    course = Timed(scenario)
    for fact in facts:
        course.add(fact)
    return course
