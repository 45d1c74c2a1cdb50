"""What is missing of one device, from when to when: absences, silence, bursts of faults and of readings without room.

An absence or a silence is told twice: when it is found, without `until`, so that whoever looks sees that data are
missing now; and when the device is heard again (or the hub stops), with the same `since`. Faults and refused readings
are collected into bursts and told when they have ended, or after a minute: however much a device floods, that is
a record a minute. Intervals of one device do not overlap, and each fault and each refused reading is counted in
exactly one record with an end.

A device that is heard within ten seconds of the hub's start was not missing: the start itself is a gap of the hub.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import inf

from devicehub.model.device import DeviceState
from devicehub.model.errors import Reason
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.payload import GapData
from devicehub.model.reading import Change, Dropped, Fault, Stamp

GRACE = 10.0
QUIET = 10.0
LONGEST = 60.0

_AWAY = {
    DeviceState.OFFLINE: GapReason.DISCONNECTED,
    DeviceState.LOST: GapReason.DISCONNECTED,
    DeviceState.FAULTED: GapReason.FAULTED,
}
_PRESENT = {DeviceState.READY, DeviceState.DEGRADED}


@dataclass(slots=True)
class _Burst:
    """What was not accepted from `since` to `until`: readings without room, and faults by reason."""

    since: Stamp
    until: Stamp
    drops: int = 0
    faults: Counter[Reason] = field(default_factory=Counter[Reason])


@dataclass(slots=True)
class _Absence:
    """Nothing usable came since `since`. `told`: that it began. `within`: what was refused meanwhile."""

    reason: GapReason
    since: Stamp
    told: bool
    within: _Burst | None = None


class DeviceGaps:
    """The gaps of one device. Give it everything in order of arrival; each call gives the records that are due.

    `patience`: seconds of silence that are normal for the device; infinite for one that only answers use.
    """

    def __init__(self, device: str, patience: float = inf) -> None:
        self._device = device
        self.patience = patience
        self._ready = False
        self._heard: Stamp | None = None
        self._covered: Stamp | None = None
        self._absence: _Absence | None = None
        # Faults since the last word may turn out to be part of a silence; those before it cannot.
        self._settled: _Burst | None = None
        self._fresh: _Burst | None = None

    def begin(self, now: Stamp) -> None:
        """The hub starts: the device is not there yet."""
        if self._absence is None and self._heard is None:
            self._absence = _Absence(GapReason.DISCONNECTED, now, told=False)

    def heard(self, at: Stamp) -> list[GapData]:
        """It said something that made sense. Of one that is away this is its protocol's own word, and ends nothing."""
        if not self._ready:
            return []
        told = self._spoke(at)
        self._hear(at)
        return told

    def change(self, change: Change) -> list[GapData]:
        """Its link came or went. An open link alone is no word of the device."""
        if change.state in _PRESENT:
            return self.heard(change.at) if self._ready else self._back(change.at)
        if change.state not in _AWAY:
            return []
        self._ready = False
        return [] if self._absence is not None else self._open(_AWAY[change.state], change.at)

    def count(self, fault: Fault) -> list[GapData]:
        """Bytes of it that were refused."""
        burst = _Burst(fault.since or fault.at, fault.at, faults=Counter({fault.reason: fault.count}))
        silent = self._absence is None and self._is_silent(fault.at)
        told = self._open(GapReason.SILENT, fault.at) if silent else []
        if self._absence is not None:
            self._absence.within = _joined(self._absence.within, burst)
            return told
        self._fresh = _joined(self._fresh, burst)
        return self._cut(fault.at, LONGEST)

    def dropped(self, dropped: Dropped) -> list[GapData]:
        """Readings of it that there was no room for: it was heard, and not understood."""
        burst = _Burst(dropped.since, dropped.at, dropped.count)
        if not self._ready and self._absence is not None:
            self._absence.within = _joined(self._absence.within, burst)
            return []
        told = self._spoke(dropped.since)
        self._fresh = _joined(self._fresh, burst)
        self._hear(dropped.at)
        return told + self._cut(dropped.at, LONGEST)

    def tick(self, now: Stamp) -> list[GapData]:
        """Once a second, when everything that came before `now` was given."""
        absence = self._absence
        if absence is not None:
            if absence.told or now.mono - absence.since.mono <= GRACE:
                return []
            absence.told = True
            return [self._record(absence.reason, absence.since)]
        if self._is_silent(now):
            return self._open(GapReason.SILENT, now)
        last = self._fresh or self._settled
        if last is None:
            return []
        return self._cut(now, 0.0 if now.mono - last.until.mono >= QUIET else LONGEST)

    def finish(self, now: Stamp) -> list[GapData]:
        """The hub stops: what is open ends for this run, and what was counted is told."""
        absence, self._absence = self._absence, None
        if absence is None:
            return self._cut(now, 0.0)
        if absence.told:
            return [self._closed(absence, now)]
        self._fresh = absence.within
        return self._cut(now, 0.0)

    def _is_silent(self, now: Stamp) -> bool:
        return self._ready and self._heard is not None and now.mono - self._heard.mono > self.patience

    def _spoke(self, at: Stamp) -> list[GapData]:
        """Ends a silence, also one that nobody looked for in time."""
        told: list[GapData] = []
        if self._absence is None and self._is_silent(at):
            told = self._open(GapReason.SILENT, at)[:-1]
        absence, self._absence = self._absence, None
        return told if absence is None else [*told, self._closed(absence, at)]

    def _back(self, at: Stamp) -> list[GapData]:
        self._ready = True
        absence, self._absence = self._absence, None
        told: list[GapData] = []
        if absence is not None and absence.told:
            told = [self._closed(absence, at)]
        elif absence is not None:
            self._fresh = absence.within
        self._hear(at)
        return told

    def _hear(self, at: Stamp) -> None:
        self._heard = at
        if self._fresh is not None:
            self._settled, self._fresh = _joined(self._settled, self._fresh), None

    def _open(self, reason: GapReason, now: Stamp) -> list[GapData]:
        """Begin an absence at the last word; gives the end of the burst before it, and that it began."""
        since = _latest(self._heard, self._covered) or now
        burst, self._settled = self._settled, None
        told = [] if burst is None else [self._told(burst, _earliest(burst.until, since))]
        self._absence, self._fresh = _Absence(reason, since, told=True, within=self._fresh), None
        return [*told, self._record(reason, since)]

    def _cut(self, now: Stamp, age: float) -> list[GapData]:
        """The burst so far, if it began at least `age` seconds ago."""
        first = self._settled or self._fresh
        if first is None or now.mono - first.since.mono < age:
            return []
        burst = first if self._settled is None or self._fresh is None else _joined(self._settled, self._fresh)
        self._settled = self._fresh = None
        return [self._told(burst, burst.until)]

    def _told(self, burst: _Burst, until: Stamp) -> GapData:
        since = _latest(burst.since, self._covered) or burst.since
        until = _latest(since, until) or until
        self._covered = until
        reason = GapReason.OVERFLOW if burst.drops else GapReason.FAULTS
        return self._record(reason, since, until, burst)

    def _closed(self, absence: _Absence, at: Stamp) -> GapData:
        self._covered = at
        return self._record(absence.reason, absence.since, at, absence.within)

    def _record(
        self, reason: GapReason, since: Stamp, until: Stamp | None = None, burst: _Burst | None = None
    ) -> GapData:
        faults = {} if burst is None else {word.value: number for word, number in sorted(burst.faults.items())}
        return GapData(
            self._device,
            reason,
            count=None if burst is None else burst.drops + burst.faults.total(),
            faults=faults,
            since=instant(since.utc),
            until=None if until is None else instant(until.utc),
        )


def _joined(first: _Burst | None, second: _Burst) -> _Burst:
    if first is None:
        return second
    return _Burst(
        _earliest(first.since, second.since),
        _latest(first.until, second.until) or second.until,
        first.drops + second.drops,
        first.faults + second.faults,
    )


def _earliest(one: Stamp, other: Stamp) -> Stamp:
    return one if one.mono <= other.mono else other


def _latest(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    if one is None or other is None:
        return one or other
    return one if one.mono >= other.mono else other
