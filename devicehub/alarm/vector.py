"""Many values at once in numpy, each limit at most once: the same edges as `scalar.py` gives, value by value."""

from collections.abc import Collection

import numpy as np

from devicehub.alarm.conditions import JUDGE, RAISE, Flags, Floats, Indices, Kind, Rules, Selection, State
from devicehub.alarm.edges import Edges
from devicehub.alarm.scalar import Scalar
from devicehub.model.alarm import Transition

DENSE = 40


class Vector:
    """Judges batches. `scalar` takes what is rare and not worth an array."""

    def __init__(self, rules: Rules, state: State, scalar: Scalar) -> None:
        self._rules = rules
        self._state = state
        self._scalar = scalar
        self._near: Flags = np.empty(rules.size, dtype=np.bool_)

    def sweep(self, start: int, value: Floats, good: Flags, at: Floats) -> Collection[Transition]:
        """One value for each of the limits from `start` on."""
        state, rules, every = self._state, self._rules, slice(start, start + value.size)
        state.take_over()
        if rules.plain and np.count_nonzero(state.busies[every]) * DENSE > value.size:
            return self._level(every, value, good, at, 0)
        near = self._near[: value.size]
        np.greater(value, state.bounds[every], out=near)
        near ^= state.flipped[every]
        near |= state.busies[every]
        some: Indices = near.nonzero()[0]
        return self._look(some + start, value[some], good[some], at[some], some)

    def gather(self, feed: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> Collection[Transition]:
        """Values of any feeds, of each limit at most one. `place`: of each value in the batch."""
        self._state.take_over()
        some: Indices = (self._outside(feed, value) | self._state.busies[feed]).nonzero()[0]
        return self._look(feed[some], value[some], good[some], at[some], place[some])

    def _look(self, feed: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> Collection[Transition]:
        if not feed.size:
            return []
        if self._rules.plain:
            return self._level(feed, value, good, at, place)
        out: list[Transition] = []
        kinds = self._rules.kinds[feed]
        ways = {
            Kind.LEVEL: self._level,
            Kind.RATE: self._rate,
            Kind.DEVIATION: self._deviation,
            Kind.STALE: self._fresh,
            Kind.REFERENCE: self._refer,
        }
        for kind, way in ways.items():
            mine: Indices = np.flatnonzero(kinds == kind)
            if mine.size:
                out += way(feed[mine], value[mine], good[mine], at[mine], place[mine])
        return sorted(out, key=in_batch)

    def _level(self, limit: Selection, value: Floats, good: Flags, _: Floats, place: int | Indices) -> Edges:
        trusted = np.isfinite(value)
        trusted &= good
        return self._vote(limit, value, trusted, trusted, place)

    def _vote(self, limit: Selection, told: Floats, trusted: Flags, sure: Flags, place: int | Indices) -> Edges:
        """`told`: what is held against the limits, the measure with its own sign. `sure`: trusted, and known."""
        state, vote, counts = self._state, self._outside(limit, told), sure
        if not sure.all():
            unsure: Indices = np.flatnonzero(~sure)
            some, counts = _of(limit, unsure), sure.copy()
            counts[unsure] = beyond = self._beyond(some, told[unsure], trusted[unsure])
            vote[unsure] = beyond & ~state.actives[some]
        if not self._rules.single:
            vote = self._count(limit, vote, counts)
        edges: Indices = vote.nonzero()[0]
        limits = _of(limit, edges)
        state.turn_all(limit, vote, limits)
        return Edges(limits, state.actives[limits], told[edges], _of(place, edges))

    def _outside(self, feed: Selection, told: Floats) -> Flags:
        """Which numbers would change something, if they are to be believed."""
        outside: Flags = told > self._state.bounds[feed]
        outside ^= self._state.flipped[feed]
        return outside

    def _beyond(self, limit: Indices, told: Floats, trusted: Flags) -> Flags:
        """Which of the values that one cannot be sure of raise an alarm all the same."""
        rules, rule = self._rules, self._rules.rules[limit]
        beyond: Flags = (told * rules.signs[limit] > rules.ons[limit]) & (rule >= JUDGE)
        beyond |= (rule == RAISE) & ~trusted
        return beyond

    def _count(self, limit: Selection, vote: Flags, counts: Flags) -> Flags:
        """Whether enough of the last values speak for a change. Those that do not count leave no trace."""
        rules, before = self._rules, self._state.votings[limit]
        votes = before + before  # a shift by one, which numpy does not vectorise
        votes |= vote.view(np.uint8)
        votes &= rules.masks[limit]
        if not counts.all():
            votes = np.where(counts, votes, before)
        enough: Flags = np.bitwise_count(votes) >= rules.needs[limit]
        votes *= ~enough
        self._state.vote_all(limit, votes)
        return enough

    def _rate(self, limit: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> Edges:
        state, window = self._state, self._rules.windows[limit]
        finite = np.isfinite(value)
        trusted = finite & good
        new_at, new = state.news_at[limit], state.news[limit]
        passed = at - new_at >= window
        old_at = np.where(passed, new_at, state.olds_at[limit])
        old = np.where(passed, new, state.olds[limit])
        kept: Indices = np.flatnonzero(trusted & (passed | np.isnan(new_at)))
        where = limit[kept]
        state.olds_at[where], state.olds[where] = old_at[kept], old[kept]
        state.news_at[where], state.news[where] = at[kept], value[kept]
        known = finite & (at > old_at)
        rate = np.divide(value - old, at - old_at, out=np.full(value.size, np.nan), where=known)
        return self._vote(limit, rate, trusted, trusted & np.isfinite(rate), place)

    def _deviation(self, limit: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> Edges:
        state = self._state
        known = at - state.news_at[limit] <= self._rules.windows[limit]
        distance = np.where(known, np.abs(value - state.news[limit]), np.nan)
        trusted = np.isfinite(value) & good
        return self._vote(limit, distance, trusted, trusted & np.isfinite(distance), place)

    def _refer(self, feed: Indices, value: Floats, good: Flags, at: Floats, _: Indices) -> list[Transition]:
        kept: Indices = np.flatnonzero(good & np.isfinite(value))
        where = self._rules.owners[feed[kept]]
        self._state.news_at[where], self._state.news[where] = at[kept], value[kept]
        return []

    def _fresh(self, limit: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> list[Transition]:
        """Only limits that are stale, or seen for the first time, need more than their next instant."""
        state = self._state
        special = ~(at <= state.news_at[limit]) | state.actives[limit]
        kept: Indices = np.flatnonzero(good & np.isfinite(value) & ~special)
        state.news_at[limit[kept]] = at[kept] + self._rules.windows[limit[kept]]
        out: list[Transition] = []
        if special.any():
            state.catch_up()
        for one in np.flatnonzero(special).tolist():
            self._scalar.judge(
                int(limit[one]), float(value[one]), float(at[one]), out, good=bool(good[one]), place=int(place[one])
            )
        return out


def in_batch(edge: Transition) -> int:
    """The place of an edge's value in its batch, which edges are in the order of."""
    return edge.reading


def _of(selection: int | Selection, edges: Indices) -> Indices:
    """What `edges`, positions within a selection, are in the whole."""
    if isinstance(selection, slice):
        return edges + int(selection.start)
    return edges + selection if isinstance(selection, int) else selection[edges]
