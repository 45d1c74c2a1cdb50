"""Conditions of all channels at once: values and their times in, edges out.

A small batch is judged by plain Python (`scalar.py`), which is faster there, a large one by numpy (`vector.py`); both
give the same edges, in the order of the values, and share their state (`conditions.py`).
"""

from collections.abc import Collection, Sequence
from math import inf
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from devicehub.alarm.conditions import Flags, Floats, Indices, Kind, Rules, State, inputs
from devicehub.alarm.scalar import Scalar
from devicehub.alarm.vector import Vector, in_batch
from devicehub.model.alarm import Limit, Transition

CROSSOVER = 128

Places = Sequence[int] | NDArray[np.intp]
Numbers = Sequence[float] | NDArray[np.float64]
Trust = Sequence[bool] | NDArray[np.bool_]


class AlarmEngine:
    """Edges of limits. Pure: the same values give the same edges, however they are cut into batches."""

    def __init__(self, limits: Sequence[Limit], crossover: int = CROSSOVER) -> None:
        """`crossover`: size of a batch from which on numpy judges it.

        Raises `ValueError` for a limit that no value can meet, or whose rule lacks something.
        """
        self._crossover = crossover
        self.limits = tuple(limits)
        self.inputs = inputs(limits)
        self._rules = Rules(self.limits)
        self._state = State(self._rules)
        self._scalar = Scalar(self._rules, self._state)
        self._vector = Vector(self._rules, self._state, self._scalar)
        # all that `step` reads, in one look-up: a batch of one value costs as much as they do
        state, rules = self._state, self._rules
        self._columns = (state.behind, state.floor, state.ceiling, state.votes, rules.mask, rules.least, state.ahead)
        self._ageing = [index for index, kind in enumerate(self._rules.kind) if kind == Kind.STALE]

    def active(self) -> Flags:
        """Which conditions are met at this moment; a copy."""
        self._state.take_over()
        return self._state.actives.copy()

    def restore(self, index: int) -> None:
        """A condition that was met before a restart is met still."""
        self._state.catch_up()
        self._state.turn(index, active=True)

    def step(  # noqa: C901 - one loop: a call costs a tenth of a batch of one value
        self, index: Places, value: Numbers, good: Trust, at: Numbers | float
    ) -> Collection[Transition]:
        """Judge values in order. `index[i]`: the feed that `value[i]` is for, as `inputs` lists them.

        `at`: seconds of the monotonic clock, one for all or one each, never falling within a feed. A value
        that is not `good` or no finite number never ends a condition, and raises as its limit's `distrust` says.
        A `range` as `index` saves the look-up of each value.
        """
        behind, floor, ceiling, votes, mask, least, ahead = self._columns
        size = len(index)
        if size != len(value) or size != len(good):
            raise ValueError(f"{size} feeds, {len(value)} values and {len(good)} marks of quality")
        if size >= self._crossover or not isinstance(index, list):
            return self._step_arrays(index, value, good, at)
        if behind:
            self._state.catch_up()
        out: list[Transition] = []
        for place, feed in enumerate(index):
            number = value[place]
            if floor[feed] <= number <= ceiling[feed]:
                if not votes[feed]:
                    continue
                if good[place] and -inf < number < inf:
                    votes[feed] = votes[feed] << 1 & mask[feed]
                    ahead.add(feed)
                    continue
            elif good[place] and -inf < number < inf and (few := least[feed]):
                now = (votes[feed] << 1 | 1) & mask[feed]
                if now < few:
                    votes[feed] = now
                    ahead.add(feed)
                else:
                    self._scalar.count(feed, now, number, place, out)
                continue
            when = at if isinstance(at, float | int) else at[place]
            self._scalar.judge(feed, float(number), float(when), out, good=good[place], place=place)
        return out

    def tick(self, at: float) -> list[Transition]:
        """What has grown stale by `at`, earliest first. To be asked every second or so: `late` tells the rest."""
        self._state.catch_up()
        found = [edge for limit in self._ageing if (edge := self._scalar.lapsed(limit, at)) is not None]
        return sorted(found, key=_oldest)

    def _step_arrays(self, index: Places, value: Numbers, good: Trust, at: Numbers | float) -> Collection[Transition]:
        if len(index) < self._crossover:
            return self.step(list(_listed(index)), _listed(value), _listed(good), at)
        values, trusted = np.asarray(value, dtype=np.float64), np.asarray(good, dtype=np.bool_)
        times: Floats = np.broadcast_to(np.asarray(at, dtype=np.float64), values.shape)
        with np.errstate(all="ignore"):
            return self._step_vector(index, values, trusted, times)

    def _step_vector(self, index: Places, value: Floats, good: Flags, at: Floats) -> Collection[Transition]:
        if isinstance(index, range) and index.step == 1 and not self._rules.referring:
            return self._vector.sweep(index.start, value, good, at)
        feeds = np.asarray(index, dtype=np.intp)
        waves, rest = _waves(self._rules.owners[feeds], self._crossover)
        out, few = list[Transition](), max(1, self._crossover - 1)
        for wave in waves:
            out += self._vector.gather(feeds[wave], value[wave], good[wave], at[wave], wave)
        for part in (rest[start : start + few] for start in range(0, rest.size, few)):
            places = part.tolist()
            late = self.step(*(column[part].tolist() for column in (feeds, value, good, at)))
            out += [replace(edge, reading=places[edge.reading]) for edge in late]
        return sorted(out, key=in_batch)


def _listed(column: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    """Plain Python reads lists several times as fast as arrays."""
    return column.tolist() if isinstance(column, np.ndarray) else column


def _oldest(edge: Transition) -> float:
    return -edge.late


def _waves(limits: Indices, worth: int) -> tuple[list[Indices], Indices]:
    """Split a batch so that each limit occurs at most once per wave, its values in order.

    Waves grow smaller; what is left when they have less than `worth` values comes second, in order.
    """
    if bool((limits[1:] > limits[:-1]).all()):
        return [np.arange(limits.size)], np.arange(0)
    order: Indices = np.argsort(limits, kind="stable")
    ordered = limits[order]
    starts: Indices = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.append(starts, limits.size))
    occurrence = np.arange(limits.size) - np.repeat(starts, lengths)
    count = int(np.count_nonzero(np.bincount(occurrence) >= worth))
    waves = [np.sort(order[occurrence == wave]) for wave in range(count)]
    return waves, np.sort(order[occurrence >= count])
