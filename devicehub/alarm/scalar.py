"""One value at a time in plain Python: what a small batch is judged by, and how each condition is defined."""

from math import inf, nan

from devicehub.alarm.conditions import JUDGE, RAISE, Kind, Rules, State
from devicehub.model.alarm import Transition


class Scalar:
    """Judges single values. `vector.py` does the same to many."""

    def __init__(self, rules: Rules, state: State) -> None:
        self._rules = rules
        self._state = state

    def judge(self, feed: int, value: float, at: float, out: list[Transition], *, good: bool, place: int) -> None:
        """One value of a feed, at `at` seconds of the monotonic clock; edges go to `out`."""
        rules = self._rules
        kind, told = rules.kind[feed], value
        if kind == Kind.RATE:
            told = self._rate(feed, value, at, good=good)
        elif kind == Kind.DEVIATION:
            told = self._deviation(feed, value, at)
        elif kind == Kind.STALE:
            self._fresh(feed, value, at, out, good=good, place=place)
            return
        elif kind == Kind.REFERENCE:
            self._refer(rules.owner[feed], value, at, good=good)
            return
        votes = self._votes(feed, told * rules.sign[feed], trusted=good and -inf < value < inf)
        if votes is not None:
            self.count(feed, votes, told, place, out)

    def count(self, limit: int, votes: int, told: float, place: int, out: list[Transition]) -> None:
        """The votes of a limit, that of the value `told` among them: enough of them are an edge."""
        if votes.bit_count() >= self._rules.need[limit]:
            self._turn(limit, told, place, out)
        else:
            self._state.vote(limit, votes)

    def lapsed(self, limit: int, at: float) -> Transition | None:
        """The edge of a limit that has grown stale by `at`. Seen for the first time, its time begins."""
        state, due = self._state, self._state.new_at[limit]
        if due != due:  # noqa: PLR0124  # not a number: `isnan` is a call
            state.new_at[limit] = at + self._rules.window[limit]
        elif at > due and not state.active[limit]:
            state.turn(limit, active=True)
            return Transition(limit, active=True, value=nan, reading=-1, late=at - due)
        return None

    def _turn(self, limit: int, told: float, place: int, out: list[Transition]) -> None:
        active = not self._state.active[limit]
        self._state.turn(limit, active=active)
        out.append(Transition(limit, active, float(told), place))

    def _votes(self, limit: int, measure: float, *, trusted: bool) -> int | None:
        """The last votes, that of a measure among them; None where it does not count.

        A value that is not trusted, or whose measure nobody knows, does not count at all where it is not beyond the
        limit: it neither ends a condition nor pushes out what speaks for one.
        """
        rules, state = self._rules, self._state
        sure = trusted and -inf < measure < inf
        rule = rules.rule[limit]
        beyond = (measure > rules.on[limit] and (sure or rule >= JUDGE)) or (rule == RAISE and not trusted)
        if not (sure or beyond):
            return None
        vote = (sure and measure <= rules.off[limit]) if state.active[limit] else beyond
        return (state.votes[limit] << 1 | vote) & rules.mask[limit]

    def _rate(self, limit: int, value: float, at: float, *, good: bool) -> float:
        """Change per second since a good value that is at least a window old, and no older than two if values come.

        Two values are kept, a window or more apart. NaN while there is none that is old enough.
        """
        state, window = self._state, self._rules.window[limit]
        if not -inf < value < inf:
            return nan
        old_at, old, new_at = state.old_at[limit], state.old[limit], state.new_at[limit]
        passed = at - new_at >= window
        if passed:
            old_at, old = new_at, state.new[limit]
        if good and (passed or new_at != new_at):  # noqa: PLR0124 - true for NaN alone
            state.old_at[limit], state.old[limit] = old_at, old
            state.new_at[limit], state.new[limit] = at, value
        return (value - old) / (at - old_at) if at > old_at else nan

    def _refer(self, limit: int, value: float, at: float, *, good: bool) -> None:
        if good and -inf < value < inf:
            self._state.new_at[limit], self._state.new[limit] = at, value

    def _deviation(self, limit: int, value: float, at: float) -> float:
        """How far a value is from its reference; NaN while nobody knows where that is."""
        state = self._state
        if at - state.new_at[limit] <= self._rules.window[limit]:
            return abs(value - state.new[limit])
        return nan

    def _fresh(self, limit: int, value: float, at: float, out: list[Transition], *, good: bool, place: int) -> None:
        """A value for a limit on staleness: what is over by then comes first."""
        if (edge := self.lapsed(limit, at)) is not None:
            out.append(Transition(limit, edge.active, edge.value, place, edge.late))
        if good and -inf < value < inf:
            self._state.new_at[limit] = at + self._rules.window[limit]
            if self._state.active[limit]:
                self._state.turn(limit, active=False)
                out.append(Transition(limit, active=False, value=nan, reading=place))
