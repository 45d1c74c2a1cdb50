"""Rules on trial: what would come and go by them, found by the same engine, delays and alarm points as in the core.

A trial is beside the core and shares nothing with it but what devices said. Nobody acknowledges, shelves or disables
what it finds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from devicehub.core.alarms import AlarmPoints, StandingAlarm
from devicehub.core.limits import judge, lapse
from devicehub.core.measure import checked, judged_by
from devicehub.core.register import Point
from devicehub.core.screen import Screen
from devicehub.core.standing import Cause
from devicehub.core.watch import Key, Numbers, feeds
from devicehub.driver import Driver
from devicehub.model.alarm import Limit
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, Image, Input, Measurement, Reading, Stamp
from devicehub.model.thermal import ThermalRule

_TURNS = {"alarm.raised": True, "alarm.returned": False, "alarm.cleared": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules as the core goes by them. `digest`: see `rules_digest` of an alarm; `version`: None for rules without."""

    limits: Sequence[Limit] = ()
    thermal: Sequence[ThermalRule] = ()
    digest: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The condition of an alarm point came, or went. `data`: what an alarm would have said then."""

    device: str
    point: str
    at: Stamp
    active: bool
    data: AlarmData


class Trial:
    """One rule set, held against what is given to it."""

    def __init__(self, devices: Mapping[str, Driver], rules: RuleSet) -> None:
        """`rules` are on `devices` alone."""
        numbers = count(1)
        self._devices = devices
        self._rules = rules
        self._ids = lambda: str(next(numbers))
        self._points = self._fresh()
        self._feeds = feeds(rules.limits)
        self._judged = judged_by(devices, rules.limits, rules.thermal)
        self._screens = {device: Screen(every=False) for device, channel in self._feeds if "." in channel}
        for device, screen in self._screens.items():
            screen.watch.revise([rule for rule in rules.thermal if rule.device == device])
        self._standing: dict[Point, AlarmData] = {}

    @property
    def channels(self) -> frozenset[Key]:
        """The devices and channels whose values are looked at."""
        return frozenset(self._feeds)

    def step(self, inputs: Sequence[Input]) -> list[Verdict]:
        """What the inputs bring, in their order."""
        out: list[Verdict] = []
        numbers = Numbers()
        for item in inputs:
            if isinstance(item, Reading):
                self._reading(item, numbers)
            elif isinstance(item, Change):
                out += self._settled(numbers)
                numbers = Numbers()
                if item.device in self._screens:
                    self._screens[item.device].clear()
                out += self._found(self._points.on_change(item))
        return out + self._settled(numbers)

    def tick(self, now: Stamp) -> list[Verdict]:
        """What time alone brings."""
        return self._found([*lapse(self._points, now), *self._points.tick(now)])

    def reload(self, now: Stamp) -> list[Verdict]:
        """The hub read its configuration again, these rules in it."""
        return self._found(self._points.revise(self._rules.limits, self._rules.digest, (), now))

    def restart(self, now: Stamp) -> None:
        """The hub ended and runs again: what was met is met still, all else is learned anew."""
        self._points = self._fresh()
        for (device, point), data in self._standing.items():
            self._points.resume(StandingAlarm(device, point, data), self._devices, now)
        for screen in self._screens.values():
            screen.clear()

    def over(self, now: Stamp) -> list[Verdict]:
        """The trial ends: the ends of what is met at this moment."""
        met = [(point, data) for point, data in self._standing.items() if data.active]
        return [Verdict(*point, now, active=False, data=data) for point, data in met]

    def _fresh(self) -> AlarmPoints:
        return AlarmPoints(self._rules.limits, self._ids, self._rules.digest)

    def _reading(self, reading: Reading, numbers: Numbers) -> None:
        sample, device = reading.sample, reading.device
        if isinstance(sample, Measurement):
            if (device, sample.channel) in self._feeds:
                self._take(reading, checked(sample, self._judged[device, sample.channel].channel), numbers)
        elif isinstance(sample, Image) and (screen := self._screens.get(device)) is not None:
            channel = self._judged[device, sample.channel].channel
            for measurement in screen.show(sample, channel, reading.at)[1]:
                self._take(reading, measurement, numbers)

    def _take(self, reading: Reading, measurement: Measurement, numbers: Numbers) -> None:
        key = (reading.device, measurement.channel)
        if places := self._feeds.get(key):
            numbers.take(
                places, measurement, Cause(reading.at, "", measurement.quality, self._judged[key].channel.unit)
            )

    def _settled(self, numbers: Numbers) -> list[Verdict]:
        return self._found(judge(self._points, numbers))

    def _found(self, messages: Sequence[Message]) -> list[Verdict]:
        out: list[Verdict] = []
        for message in messages:
            point = (message.device, message.point)
            if message.kind is Kind.ALARM:
                self._standing.pop(point, None)
                if isinstance(message.data, AlarmData):
                    self._standing[point] = message.data
            elif isinstance(message.data, AlarmData) and message.type in _TURNS:
                at = Stamp(message.time, message.mono)
                out.append(Verdict(*point, at, _TURNS[message.type], message.data))
        return out
