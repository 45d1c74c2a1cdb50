"""Which request is next: start-up in order, then what is due, one in flight, with retries and a minimum gap."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from devicehub.devicefile.compiled import Compiled, Request

Values = Mapping[str, float | str]


@dataclass(slots=True)
class Flight:
    """A request that waits for its answer. `sent`: what was put in."""

    request: Request
    sent: Values
    deadline: float
    tries: int = 1


class Agenda:
    """The requests of one open link. Time only comes in."""

    def __init__(self, compiled: Compiled, now: float) -> None:
        self._requests = compiled.requests
        talk = compiled.file.conversation
        self._gap_s, self._again_s = talk.gap_s, talk.again_s
        self._queue: deque[str] = deque(talk.start)
        self._due = {
            name: now
            for name, request in compiled.requests.items()
            if request.period_s is not None and name not in talk.start
        }
        self._free_at = now
        self.flight: Flight | None = None

    def add(self, name: str, *, first: bool = False) -> None:
        """Send a request when its turn comes; `first`: before all others."""
        if first:
            self._queue.appendleft(name)
        elif name not in self._queue:
            self._queue.append(name)

    def free(self, now: float) -> bool:
        """Whether something may be sent, and nothing of the start-up list is to be sent before it."""
        return self.flight is None and now >= self._free_at and not self._queue

    def next(self, now: float, memory: Mapping[str, object]) -> Request | None:
        """The request to send now, if any."""
        if self.flight is not None or now < self._free_at:
            return None
        while self._queue:
            request = self._requests[self._queue.popleft()]
            if request.wanted(memory):
                self._planned(request, now)
                return request
        found, first = None, inf
        for name, at in self._due.items():
            if at <= now and at < first and self._requests[name].wanted(memory):
                found, first = self._requests[name], at
        if found is not None:
            self._planned(found, now)
        return found

    def _planned(self, request: Request, now: float) -> None:
        """When it is due again: in step with its period, or later if it was late by more than that."""
        period, name = request.period_s, request.name
        if period is None:
            return
        due = self._due.get(name, now)
        step = period or self._again_s
        self._due[name] = due + step if now < due + step else now + step

    def sent(self, request: Request, values: Values, now: float) -> None:
        """It is on its way."""
        if request.replies:
            self.flight = Flight(request, values, now + request.timeout_s)
        else:
            self.flight = None
            self._free_at = now + self._gap_s
            self._done(request)

    def answered(self, now: float) -> None:
        """The answer has come."""
        assert self.flight is not None
        self._done(self.flight.request)
        self.drop(now)

    def _done(self, request: Request) -> None:
        if request.period_s == 0:
            self._due[request.name] = inf

    def drop(self, now: float) -> None:
        """Wait for an answer no longer."""
        self.flight = None
        self._free_at = max(self._free_at, now + self._gap_s)

    def hold(self, until: float) -> None:
        """Send nothing before that time."""
        self._free_at = max(self._free_at, until)

    def is_due(self, now: float, memory: Mapping[str, object]) -> bool:
        """Whether something waits to be sent that has a time of its own, or a place in the list."""
        return bool(self._queue) or any(
            at <= now and self._requests[name].wanted(memory) for name, at in self._due.items()
        )

    def wake_at(self, memory: Mapping[str, object], *, waiting: bool = False) -> float | None:
        """When there is something to do; `waiting`: a command is."""
        if self.flight is not None:
            return self.flight.deadline
        if waiting or (self._queue and any(self._requests[name].wanted(memory) for name in self._queue)):
            return self._free_at
        first = inf
        for name, at in self._due.items():
            if at < first and self._requests[name].wanted(memory):
                first = at
        if first <= self._free_at:
            return self._free_at
        return first if first < inf else None
