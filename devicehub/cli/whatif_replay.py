"""The journal as a hub heard it, for two rule sets at once: stored events back to what the core was given."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, nan
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.core.trial import Trial, Verdict
from devicehub.journal.replayed import READING, Kept
from devicehub.model.device import DeviceState
from devicehub.model.gap import GapReason
from devicehub.model.payload import DeviceEventData, GapData, HubEventData, ReadingData
from devicehub.model.reading import Change, Input, Measurement, Reading, Stamp

BATCH: Final = 1024
FIRST_TICK: Final = 1.0
"""Seconds after its start in which a hub first looks what has grown stale."""

NOTICED: Final = 2.0
"""Seconds within which a hub tells that its clock was set, or that the machine slept."""

_WORD: Final = "io.devicehub."
_STEPPED: Final = f"{_WORD}hub.clock-stepped"
_GAP: Final = f"{_WORD}gap"


class _Envelope(Struct, frozen=True):
    time: str
    boot: str
    data: msgspec.Raw

    def utc(self) -> float:
        """Seconds. Raises `ValueError` for what is no time."""
        return datetime.fromisoformat(self.time).timestamp()


@dataclass(slots=True)
class Passed:
    """What went by. `illegible`: of another make; `valueless`: no number was stored; `foreign`: of unknown devices.

    `first`, `last`: UTC seconds of the replay. `gaps`: by what they are of, in the words of the contract.
    """

    readings: int = 0
    valueless: int = 0
    illegible: int = 0
    starts: int = 0
    steps: int = 0
    rules: int = 0
    disabled: int = 0
    first: float | None = None
    last: float = 0.0
    gaps: Counter[str] = field(default_factory=Counter[str])
    foreign: Counter[str] = field(default_factory=Counter[str])


class Replay:
    """Gives what was stored to trials, in its order and by its own time."""

    def __init__(self, trials: Sequence[Trial], devices: Iterable[str]) -> None:
        """`devices`: that are configured now."""
        self._trials = trials
        self._devices = frozenset(devices)
        self._channels = frozenset().union(*(trial.channels for trial in trials))
        self._wanted = {device for device, _ in self._channels}
        self._held: list[Kept] = []
        self._waiting: list[Input] = []
        self._boot = ""
        self._offset = 0.0
        self._now = Stamp(0.0, 0.0)
        self._latest: dict[str, float] = {}
        self.verdicts: list[list[Verdict]] = [[] for _ in trials]
        self.passed = Passed()

    def take(self, events: Iterable[Kept]) -> None:
        """The next events. They are held until those after them, which may say that the clock had been set already."""
        done, every = len(self._held), _by_their_clock([*self._held, *events])
        self._held = every[done:]
        self._pass(every[:done])

    def end(self) -> None:
        """Nothing comes any more: what was due until the last event."""
        self._pass(self._held)
        self._settle()
        self._tick()

    def _pass(self, events: Iterable[Kept]) -> None:
        for event in events:
            if event.type == READING and not self._concerns(event.subject):
                continue
            try:
                self._event(event)
            except (ValueError, msgspec.MsgspecError):
                self.passed.illegible += 1

    def _concerns(self, subject: str) -> bool:
        """Whether a reading is looked at. One that carries several channels names its device alone."""
        device, slash, channel = subject.partition("/")
        self.passed.readings += 1
        if device not in self._devices:
            self.passed.foreign[device] += 1
        return (device, channel) in self._channels if slash else device in self._wanted

    def _event(self, event: Kept) -> None:
        envelope = msgspec.json.decode(event.payload, type=_Envelope)
        utc = envelope.utc()
        self._begin(envelope.boot, utc)
        self._offset -= _jump(event.type, envelope.data)
        at = self._at(utc, event.subject.partition("/")[0])
        if event.type == READING:
            self._waiting += self._readings(event.subject, at, envelope.data)
            if len(self._waiting) >= BATCH:
                self._settle()
            return
        self._settle()
        self._notice(event, at, envelope.data)

    def _begin(self, boot: str, utc: float) -> None:
        """Another run of the hub begins with the first that it stored."""
        if boot == self._boot:
            return
        self._settle()
        if self._boot:
            self._tick()
        self._offset = 0.0
        self._latest = {}
        for trial in self._trials if self._boot else ():
            trial.restart(Stamp(utc, utc))
        self._now = Stamp(utc + FIRST_TICK, utc + FIRST_TICK)
        self._tick()
        self._boot = boot
        self.passed.starts += 1
        self.passed.first = utc if self.passed.first is None else self.passed.first

    def _at(self, utc: float, device: str) -> Stamp:
        """The instant by the monotonic clock, which is not stored: it follows the wall clock but where that was set.

        It never falls for one device.
        """
        mono = max(utc + self._offset, self._latest.get(device, -inf))
        self._latest[device] = mono
        if mono > self._now.mono:
            self._now = Stamp(utc, mono)
        self.passed.last = max(self.passed.last, utc)
        return Stamp(utc, mono)

    def _readings(self, subject: str, at: Stamp, data: msgspec.Raw) -> Iterator[Reading]:
        device, _, channel = subject.partition("/")
        for one in _measured(data):
            self.passed.valueless += one.value is None
            yield Reading(device, at, _measurement(one, one.channel or channel))

    def _notice(self, event: Kept, at: Stamp, data: msgspec.Raw) -> None:
        word = event.type.removeprefix(_WORD)
        passed = self.passed
        if word.startswith("device."):
            said = msgspec.json.decode(data, type=DeviceEventData)
            self._give([Change(said.device, at, DeviceState(said.what), said.why)])
        elif word == "hub.reloaded":
            self._each(lambda trial: trial.reload(at))
            self._tick()
        elif event.type == _GAP:
            passed.gaps[event.subject or "hub"] += 1
        passed.steps += event.type == _STEPPED
        passed.rules += word == "alarm.rules"
        passed.disabled += word == "alarm.disabled"

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._give(waiting)

    def _give(self, inputs: Sequence[Input]) -> None:
        self._each(lambda trial: trial.step(inputs))

    def _tick(self) -> None:
        self._each(lambda trial: trial.tick(self._now))

    def _each(self, do: Callable[[Trial], list[Verdict]]) -> None:
        for trial, verdicts in zip(self._trials, self.verdicts, strict=True):
            verdicts.extend(do(trial))


def _by_their_clock(events: Iterable[Kept]) -> list[Kept]:
    """The same, with the word that the wall clock jumped before all that was said by the clock as it was then."""
    ordered: list[Kept] = []
    for event in events:
        place = len(ordered)
        if event.type in {_STEPPED, _GAP}:
            utc, seconds = _when(event)
            near = min(NOTICED, abs(seconds) / 2)
            while place and abs(_when(ordered[place - 1])[0] - utc) < near:
                place -= 1
        ordered.insert(place, event)
    return ordered


def _when(event: Kept) -> tuple[float, float]:
    """When an event was, in UTC seconds, and how far the clock jumped by it. No numbers if it is damaged."""
    try:
        envelope = msgspec.json.decode(event.payload, type=_Envelope)
        return envelope.utc(), _jump(event.type, envelope.data)
    except (ValueError, msgspec.MsgspecError):
        return nan, nan


def _jump(kind: str, data: msgspec.Raw) -> float:
    """How far the wall clock got ahead of the monotonic one: set, or while the machine slept. Raises `MsgspecError`."""
    if kind == _STEPPED:
        return msgspec.json.decode(data, type=HubEventData).seconds or 0.0
    gap = msgspec.json.decode(data, type=GapData) if kind == _GAP else None
    if gap is None or gap.reason is not GapReason.SUSPENDED or not (gap.since and gap.until):
        return 0.0
    return (datetime.fromisoformat(gap.until) - datetime.fromisoformat(gap.since)).total_seconds()


def _measured(data: msgspec.Raw) -> tuple[ReadingData, ...]:
    """Raises `MsgspecError`."""
    if bytes(data).lstrip().startswith(b"["):
        return msgspec.json.decode(data, type=tuple[ReadingData, ...])
    return (msgspec.json.decode(data, type=ReadingData),)


def _measurement(data: ReadingData, channel: str) -> Measurement:
    value = nan if data.value is None else data.value
    return Measurement(channel, value, data.quality, data.cause, data.label)
