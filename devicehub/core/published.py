"""What was published of capabilities and alarms: the newest of each, for whoever draws conclusions. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable

from devicehub.core.standing import StandingAlarm
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CapabilityData

Point = tuple[str, str]


class Published:
    """Capabilities by device, alarm points that are told of by device and name. `news` counts the changes."""

    def __init__(self) -> None:
        self.abilities: dict[str, CapabilityData] = {}
        self.alarms: dict[Point, AlarmData] = {}
        self.news = 0

    def resume(self, standing: Iterable[StandingAlarm]) -> None:
        """Alarms of an earlier run, as they were published last."""
        self.alarms |= {(old.device, old.point): old.data for old in standing}
        self.news += 1

    def keep(self, devices: Collection[str]) -> None:
        """Nothing is known any more of what other devices can detect."""
        self.abilities = {name: data for name, data in self.abilities.items() if name in devices}
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
