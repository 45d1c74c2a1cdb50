"""Many values at once in numpy, each limit at most once: the same edges as `scalar.py` gives, value by value."""

import numpy as np

from devicehub.alarm.conditions import JUDGE, RAISE, Flags, Floats, Indices, Kind, Rules, State
from devicehub.alarm.scalar import Scalar
from devicehub.model.alarm import Transition

DENSE = 8

Selection = slice | Indices


class Vector:
    """Judges batches. `scalar` takes what is rare and not worth an array."""

    def __init__(self, rules: Rules, state: State, scalar: Scalar) -> None:
        self._rules = rules
        self._state = state
        self._scalar = scalar
        self._near: Flags = np.empty(rules.size, dtype=np.bool_)
        self._other: Flags = np.empty(rules.size, dtype=np.bool_)

    def sweep(self, start: int, value: Floats, good: Flags, at: Floats) -> list[Transition]:
        """One value for each of the limits from `start` on."""
        state, rules, stop, size = self._state, self._rules, start + value.size, value.size
        near, other = self._near[:size], self._other[:size]
        if rules.upward:
            np.greater_equal(value, state.ceilings[start:stop], out=near)
        if rules.downward:
            np.less_equal(value, state.floors[start:stop], out=other if rules.upward else near)
        if rules.upward and rules.downward:
            np.logical_or(near, other, out=near)
        np.logical_or(near, state.awakes[start:stop], out=near)
        some: Indices = np.flatnonzero(near)
        if rules.plain and some.size * DENSE > size:
            trusted = np.isfinite(value) & good
            return self._vote(slice(start, stop), value, trusted, trusted, 0)
        return self._look(some + start, value[some], good[some], at[some], some)

    def gather(self, feed: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> list[Transition]:
        """Values of any feeds, of each limit at most one. `place`: of each value in the batch."""
        state = self._state
        near = (value >= state.ceilings[feed]) | (value <= state.floors[feed]) | state.awakes[feed]
        some: Indices = np.flatnonzero(near)
        return self._look(feed[some], value[some], good[some], at[some], place[some])

    def _look(self, feed: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> list[Transition]:
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
        return out

    def _level(self, limit: Indices, value: Floats, good: Flags, _: Floats, place: Indices) -> list[Transition]:
        trusted = np.isfinite(value)
        trusted &= good
        return self._vote(limit, value, trusted, trusted, place)

    def _vote(
        self, limit: Selection, told: Floats, trusted: Flags, sure: Flags, place: int | Indices
    ) -> list[Transition]:
        """`told`: what is held against the limits, the measure with its own sign. `sure`: trusted, and known."""
        rules, state = self._rules, self._state
        measure = told * rules.signs[limit]
        beyond = self._beyond(limit, measure, trusted, sure)
        active = state.actives[limit]
        over = measure <= rules.offs[limit]
        over &= sure
        vote = np.where(active, over, beyond)
        if not rules.single:
            vote = self._count(limit, vote, sure | beyond)
        edges: Indices = np.flatnonzero(vote)
        if not edges.size:
            return []
        limits, places, turned = _of(limit, edges), _of(place, edges), ~active[edges]
        state.turn_all(limits, turned)
        return list(map(Transition, limits.tolist(), turned.tolist(), told[edges].tolist(), places.tolist()))

    def _beyond(self, limit: Selection, measure: Floats, trusted: Flags, sure: Flags) -> Flags:
        beyond: Flags = measure > self._rules.ons[limit]
        if not self._rules.judging:
            rule = self._rules.rules[limit]
            beyond = (beyond & (sure | (rule >= JUDGE))) | ((rule == RAISE) & ~trusted)
        return beyond

    def _count(self, limit: Selection, vote: Flags, counts: Flags) -> Flags:
        """Whether enough of the last values speak for a change. Those that do not count leave no trace."""
        rules, state = self._rules, self._state
        before = state.votings[limit]
        votes = np.left_shift(before, np.uint32(1))
        votes |= vote
        votes &= rules.masks[limit]
        if not counts.all():
            votes = np.where(counts, votes, before)
        changed: Indices = np.flatnonzero(votes != before)
        state.votings[limit] = votes
        state.awakes[limit] = state.attentive[limit] | state.actives[limit] | (votes != 0)
        state.left_behind(_of(limit, changed))
        enough: Flags = np.bitwise_count(votes) >= rules.needs[limit]
        return enough

    def _rate(self, limit: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> list[Transition]:
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

    def _deviation(self, limit: Indices, value: Floats, good: Flags, at: Floats, place: Indices) -> list[Transition]:
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
        for one in np.flatnonzero(special).tolist():
            self._scalar.judge(
                int(limit[one]), float(value[one]), float(at[one]), out, good=bool(good[one]), place=int(place[one])
            )
        return out


def _of(selection: int | Selection, edges: Indices) -> Indices:
    """What `edges`, positions within a selection, are in the whole."""
    if isinstance(selection, slice):
        return edges + int(selection.start)
    return edges + selection if isinstance(selection, int) else selection[edges]
