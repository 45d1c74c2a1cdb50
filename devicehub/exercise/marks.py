"""What an exercise writes into the journal about itself, as the event `hub.exercise`: by it all is judged. Pure.

Its `why` is the id of the scenario, a word, and what belongs to the word.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

REMARK: Final = "exercise"
TYPE: Final = f"hub.{REMARK}"


class Word(StrEnum):
    """What happened. `STEP` has the number of a step, `TAKES` a path, `SPEED` a factor, `INJECTS` an act as JSON."""

    BEGINS = "begins"
    STEP = "step"
    TAKES = "takes"
    PAUSES = "pauses"
    RESUMES = "resumes"
    SPEED = "speed"
    INJECTS = "injects"


INSTRUCTOR: Final = frozenset({Word.PAUSES, Word.RESUMES, Word.SPEED, Word.INJECTS})


class Injected(Struct, frozen=True, omit_defaults=True):
    """A step that was in no scenario file. `lasts`: seconds, None for ever."""

    do: str
    device: str = ""
    values: Mapping[str, bool | int | float | str] = {}
    lasts: float | None = None


class Mark(Struct, frozen=True):
    """One of them."""

    scenario: str
    word: Word
    rest: str = ""

    def written(self) -> str:
        """As it stands in `why`."""
        return " ".join(filter(None, (self.scenario, self.word, self.rest)))

    @property
    def step(self) -> int:
        """The number of the step that `STEP` tells of."""
        return int(self.rest)

    @property
    def injected(self) -> Injected:
        """What `INJECTS` tells of. Raises `msgspec.MsgspecError`."""
        return msgspec.json.decode(self.rest, type=Injected)


def mark(word: str, data: Mapping[str, object]) -> Mark | None:
    """The mark in an event of type `word`, without the common prefix; None for any other event."""
    if word != TYPE:
        return None
    scenario, what, *rest = [*str(data.get("why", "")).split(" ", 2), ""]
    return Mark(scenario, Word(what), rest[0])
