"""Limits with hysteresis over all channels at once: values in, edges out.

State is a struct of arrays, one element per limit. A LOW limit is a HIGH limit of the negated
value. Above `CROSSOVER` values a batch is judged by numpy, below by plain Python, which is faster
there; both give the same edges.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devicehub.model.alarm import Condition, Limit, Transition

CROSSOVER = 40

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


class AlarmEngine:
    """Edges of high and low limits. Pure: the same batches give the same edges."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        """`limits`: condition HIGH or LOW each."""
        self.limits = tuple(limits)
        self._sign: Floats = np.array([1.0 if limit.condition is Condition.HIGH else -1.0 for limit in limits])
        self._on: Floats = self._sign * np.array([limit.limit for limit in limits], dtype=np.float64)
        self._off: Floats = self._on - np.array([limit.hysteresis for limit in limits], dtype=np.float64)
        self._active: Flags = np.zeros(len(self.limits), dtype=np.bool_)

    def active(self) -> Flags:
        """Which limits are exceeded at this moment; a copy."""
        return self._active.copy()

    def restore(self, index: int) -> None:
        """A limit that was exceeded before a restart still counts as exceeded."""
        self._active[index] = True

    def step(self, index: Sequence[int], value: Sequence[float], good: Sequence[bool]) -> list[Transition]:
        """Judge values in order; `index[i]` is the limit that `value[i]` is held against.

        A value that is not `good` may raise and never clears. A value that is no number does neither.
        """
        if len(index) < CROSSOVER:
            return self._step_scalar(index, value, good)
        out: list[Transition] = []
        limits, values, trusted = (
            np.asarray(index, dtype=np.intp),
            np.asarray(value, dtype=np.float64),
            np.asarray(good),
        )
        for wave in _waves(limits):
            out.extend(self._step_vector(wave, limits[wave], values[wave], trusted[wave]))
        out.sort(key=_reading)
        return out

    def _step_vector(self, position: Indices, limit: Indices, value: Floats, good: Flags) -> list[Transition]:
        signed = value * self._sign[limit]
        before = self._active[limit]
        raised = ~before & (signed > self._on[limit])
        cleared = before & good & (signed <= self._off[limit])
        edges: Indices = np.flatnonzero(raised | cleared)
        if edges.size == 0:
            return []
        self._active[limit[edges]] = raised[edges]
        return [
            Transition(int(limit[edge]), bool(raised[edge]), float(value[edge]), int(position[edge])) for edge in edges
        ]

    def _step_scalar(self, index: Sequence[int], value: Sequence[float], good: Sequence[bool]) -> list[Transition]:
        out: list[Transition] = []
        for position, (limit, number, trusted) in enumerate(zip(index, value, good, strict=True)):
            signed = number * self._sign[limit]
            edge = trusted and signed <= self._off[limit] if self._active[limit] else signed > self._on[limit]
            if edge:
                self._active[limit] = not self._active[limit]
                out.append(Transition(limit, bool(self._active[limit]), float(number), position))
        return out


def _reading(transition: Transition) -> int:
    return transition.reading


def _waves(limits: Indices) -> list[Indices]:
    """Split a batch so that each limit occurs at most once per wave, its values in order."""
    order: Indices = np.argsort(limits, kind="stable")
    ordered = limits[order]
    starts: Indices = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.append(starts, limits.size))
    occurrence = np.arange(limits.size) - np.repeat(starts, lengths)
    return [np.sort(order[occurrence == wave]) for wave in range(int(lengths.max()))]
