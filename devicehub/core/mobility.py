"""The judge of plasmagrams as a part of the core: what it says of each device becomes results, alarms and capabilities.

The device's own verdict is published as it came, and its own alarms are points of their own; nothing here reads
either, but for the fact that a run is over.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from devicehub.alarm.mobility import Match, SubstanceLibrary
from devicehub.core.admission import DETECTED
from devicehub.core.alarms import AlarmPoints
from devicehub.core.runs import Able, Found, Judged, MobilityRules, Screening, Word
from devicehub.core.state import DeviceBook
from devicehub.model.alarm import Condition
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.reading import Capability, Cause, Change, DeviceAlarm, Reading, Result, Spectrum, Stamp
from devicehub.model.segment import segment

__all__ = ["MobilityRules", "Screenings", "point_names"]

_AWAY = frozenset({DeviceState.OFFLINE, DeviceState.LOST, DeviceState.FAULTED})
_MARKS = re.compile(r"[^a-z0-9]+")


class Screenings:
    """The screenings of every device that has a substance library."""

    def __init__(self, alarms: AlarmPoints, ids: Callable[[], str]) -> None:
        self._alarms = alarms
        self._ids = ids
        self._books: Mapping[str, DeviceBook] = {}
        self._each: dict[str, Screening] = {}
        self._points: dict[str, dict[str, str]] = {}

    def revise(
        self, rules: Mapping[str, MobilityRules], books: Mapping[str, DeviceBook], now: Stamp | None = None
    ) -> list[Message]:
        """Go by these rules from now on, and tell of the devices in `books`, fresh ones among them.

        A device whose rules are others begins anew: its run, which nobody can judge by both, is aborted.
        """
        self._books = books
        out: list[Message] = []
        for name, one in list(self._each.items()):
            if name in rules and name in books and rules[name] == one.rules:
                continue
            out += self._tell(name, [] if now is None else one.abort(Cause.INCOMPLETE, now))
            del self._each[name]
        for name in rules:
            self._each.setdefault(name, Screening(rules[name]))
        self._points = {name: point_names(one.library) for name, one in rules.items()}
        for name, book in books.items():
            book.judged = dict(self._each[name].abilities()) if name in self._each else {}
        return out

    def on_spectrum(self, reading: Reading, spectrum: Spectrum, message: str) -> list[Message]:
        """A spectrum was published as `message`. What it shows is told at the end of the step, or sooner."""
        one = self._each.get(reading.device)
        return [] if one is None else self._tell(reading.device, one.take(spectrum, reading.at, message))

    def on_result(self, reading: Reading, result: Result, message: str) -> list[Message]:
        """The device's own verdict was published as `message`: its run is over."""
        one = self._each.get(reading.device)
        return [] if one is None else self._tell(reading.device, one.result(result, reading.at, message))

    def on_change(self, change: Change) -> list[Message]:
        """A device that goes away takes its run with it."""
        one = self._each.get(change.device)
        return [] if one is None or change.state not in _AWAY else self._tell(change.device, one.away(change.at))

    def settle(self) -> list[Message]:
        """The end of a step: whatever came in it is looked at."""
        return [message for name, one in self._each.items() for message in self._tell(name, one.settle())]

    def tick(self, at: Stamp) -> list[Message]:
        """Everything that came before `at` was given: runs of which nothing is heard any more."""
        return [message for name, one in self._each.items() for message in self._tell(name, one.tick(at))]

    def finish(self, now: Stamp) -> list[Message]:
        """The hub stops: runs that are under way are told as aborted."""
        every = self._each.items()
        return [message for name, one in every for message in self._tell(name, one.abort(Cause.INCOMPLETE, now))]

    def over(self, device: str, point: str, now: Stamp) -> list[Message]:
        """The run of an alarm that stood when the hub was killed is over: the alarm stays, its condition does not."""
        return self._alarms.on_device(*_alarm(device, point, now))

    def _tell(self, device: str, words: Sequence[Word]) -> list[Message]:
        out: list[Message] = []
        for word in words:
            match word:
                case Found(at, match, message):
                    out += self._found(device, at, match, message)
                case Judged():
                    out += self._judged(device, word)
                case Able(at, groups) if device in self._books:
                    said = [Capability(group, level, cause) for group, (level, cause) in groups]
                    out += self._books[device].capability(said, at, self._ids, judged=True)
                case _:
                    continue  # of a device that is gone
        return out

    def _judged(self, device: str, word: Judged) -> list[Message]:
        """The result first, then the alarms that it is the cause of, then what is over with it."""
        result = Message(
            kind=Kind.RESULT,
            type="result",
            id=self._ids(),
            time=word.at.utc,
            mono=word.at.mono,
            data=word.data,
            device=device,
            causation=word.message,
        )
        out = [result]
        for match in word.found:
            out += self._found(device, word.at, match, result.id)
        for name in word.over:
            reading, alarm = _alarm(device, self._points[device][name], word.at)
            out += self._alarms.on_device(reading, alarm, result.id)
        return out

    def _found(self, device: str, at: Stamp, match: Match, message: str) -> list[Message]:
        rules = self._each[device].rules
        alarm = DeviceAlarm(
            point=self._points[device][match.substance],
            active=True,
            text=match.substance,
            value=match.amplitude,
            condition=Condition.DETECTION,
            priority=rules.priority,
        )
        return self._alarms.on_device(Reading(device, at, alarm), alarm, message, rules.library.digest)


def point_names(library: SubstanceLibrary) -> dict[str, str]:
    """The alarm point of each substance: `detected-` and its name as it can stand in a topic."""
    plain = {one.name: DETECTED + _MARKS.sub("-", one.name.lower()).strip("-") for one in library.substances}
    common = Counter(plain.values())
    return {
        name: point if common[point] == 1 and len(point) <= 64 else segment(f"detected {name}")
        for name, point in plain.items()
    }


def _alarm(device: str, point: str, at: Stamp) -> tuple[Reading, DeviceAlarm]:
    """The end of a condition."""
    alarm = DeviceAlarm(point, active=False, condition=Condition.DETECTION)
    return Reading(device, at, alarm), alarm
