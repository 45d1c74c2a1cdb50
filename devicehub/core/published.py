"""What was published of devices and alarms: the newest of each, for whoever draws conclusions. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TypeVar

from devicehub.core.standing import StandingAlarm
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CapabilityData, DescribeData, DeviceData, StateData

Point = tuple[str, str]
T = TypeVar("T")


class Published:
    """Descriptions, states, latest values and capabilities by device, alarm points that are told of by device and name.

    `news` counts the changes of capabilities and alarms.
    """

    def __init__(self) -> None:
        self.described: dict[str, DescribeData] = {}
        self.states: dict[str, DeviceData] = {}
        self.values: dict[str, StateData] = {}
        self.abilities: dict[str, CapabilityData] = {}
        self.alarms: dict[Point, AlarmData] = {}
        self.news = 0

    def resume(self, standing: Iterable[StandingAlarm]) -> None:
        """Alarms of an earlier run, as they were published last."""
        self.alarms |= {(old.device, old.point): old.data for old in standing}
        self.news += 1

    def keep(self, devices: Collection[str]) -> None:
        """Nothing is known any more of other devices."""
        self.described = _only(self.described, devices)
        self.states = _only(self.states, devices)
        self.values = _only(self.values, devices)
        self.abilities = _only(self.abilities, devices)
        self.news += 1

    def count(self) -> dict[tuple[str, str], int]:
        """How many alarm points there are of each priority and state."""
        return dict(Counter((data.priority.value, data.state.value) for data in self.alarms.values()))

    def note(self, messages: Iterable[Message]) -> None:
        """What is going to be published."""
        for message in messages:
            data = message.data
            if message.kind is Kind.ALARM:
                self.news += 1
                if isinstance(data, AlarmData):
                    self.alarms[message.device, message.point] = data
                else:
                    self.alarms.pop((message.device, message.point), None)
            elif isinstance(data, CapabilityData):
                self.news += 1
                self.abilities[message.device] = data
            elif isinstance(data, DescribeData):
                self.described[message.device] = data
            elif isinstance(data, DeviceData):
                self.states[message.device] = data
            elif isinstance(data, dict):
                self.values[message.device] = data


def _only(known: dict[str, T], devices: Collection[str]) -> dict[str, T]:
    return {name: data for name, data in known.items() if name in devices}
