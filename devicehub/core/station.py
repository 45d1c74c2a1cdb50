"""The workstation: what the core says of its devices, and what follows from that for all of them together. Pure."""

from collections.abc import Sequence

from devicehub.alarm.acts import Act
from devicehub.core.alarms import StandingAlarm
from devicehub.core.hub import Core, Outcome, Setting
from devicehub.core.lane import Lane
from devicehub.model.message import Message
from devicehub.model.reading import Input, Stamp


class Station:
    """The core with the lane's word behind it. Its methods are those of `Core`."""

    def __init__(self, setting: Setting) -> None:
        self._core = Core(setting)
        self._lane = Lane(setting.ids)
        self._lane.revise(setting.required, setting.devices)

    def births(self, now: Stamp) -> list[Message]:
        """Descriptions and first states of all devices, before anything was heard of them."""
        told = self._core.births(now)
        self._lane.note(told)
        return told

    def resume(self, standing: Sequence[StandingAlarm], now: Stamp) -> list[Message]:
        """Take over the alarms of the last run; gives what `Core.resume` does, and the first word on the lane."""
        self._lane.resume(standing)
        return self._summed_up(self._core.resume(standing, now), now)

    def revise(self, setting: Setting, restarted: Sequence[str], now: Stamp) -> list[Message]:
        """Go by another setting from now on; what ends with the old one, and the births of what is new."""
        told = self._core.revise(setting, restarted, now)
        self._lane.revise(setting.required, setting.devices)
        return self._summed_up(told, now)

    def step(self, inputs: Sequence[Input]) -> Outcome:
        """Take inputs in order of arrival; give messages in the order they are to be sent."""
        outcome = self._core.step(inputs)
        if inputs:
            self._summed_up(outcome.messages, inputs[-1].at)
        return outcome

    def operate(self, act: Act, now: Stamp) -> Outcome:
        """A person's act on an alarm point, or why it is refused. A command that comes twice is done once."""
        outcome = self._core.operate(act, now)
        self._summed_up(outcome.messages, now)
        return outcome

    def tick(self, now: Stamp) -> list[Message]:
        """Once a second: what time alone brings."""
        return self._summed_up(self._core.tick(now), now)

    def finish(self, now: Stamp) -> list[Message]:
        """The hub stops, and everything was given."""
        told = self._core.finish(now)
        self._lane.note(told)
        return told + self._lane.finish(now)

    def _summed_up(self, told: list[Message], now: Stamp) -> list[Message]:
        """The same list, and what follows from it for the lane."""
        self._lane.note(told)
        told += self._lane.say(now)
        return told
