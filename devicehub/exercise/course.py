"""The acts that are still to come, by a time that can stand still. Pure: whoever asks brings the loop's time."""

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Final

from devicehub.exercise.acts import Act

_DUE: Final = 1e-6


class Course:
    """Counts from `begin` on."""

    def __init__(self, acts: Sequence[Act]) -> None:
        """`acts`: in the order of time."""
        self._acts = list(acts)
        self._began: float | None = None
        self._stood: float | None = None

    @property
    def paused(self) -> bool:
        """Whether its time stands still."""
        return self._stood is not None

    def begin(self, now: float) -> None:
        """Its second zero."""
        self._began = now

    def at(self, now: float) -> float:
        """Seconds since the beginning, pauses not counted."""
        if self._began is None:
            return 0.0
        return (now if self._stood is None else self._stood) - self._began

    def pause(self, now: float) -> None:
        """Its time stands still from now on."""
        self._stood = now

    def resume(self, now: float) -> None:
        """Its time goes on where it stood."""
        if self._began is not None and self._stood is not None:
            self._began += now - self._stood
        self._stood = None

    def insert(self, acts: Iterable[Act]) -> None:
        """More acts, each behind those of the same time."""
        for act in acts:
            insort(self._acts, act, key=lambda one: one.at)

    def due(self, now: float) -> Act | None:
        """The next act if its time has come; it is not given again."""
        if self._acts and self._acts[0].at <= self.at(now) + _DUE:
            return self._acts.pop(0)
        return None

    def wait(self, now: float) -> float | None:
        """Seconds until the next act; None while the time stands still."""
        if self.paused or not self._acts:
            return None
        return max(0.0, self._acts[0].at - self.at(now))
