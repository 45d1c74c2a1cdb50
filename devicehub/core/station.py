"""The workstation: what the core says of its devices, and what follows from that for all of them together. Pure."""

from collections.abc import Iterable, Sequence

from devicehub.alarm.acts import Act
from devicehub.core.alarms import StandingAlarm
from devicehub.core.census import Census
from devicehub.core.hub import Core
from devicehub.core.inspections import Inspections, RefusedInspectionError
from devicehub.core.lane import Lane
from devicehub.core.memories import Taken
from devicehub.core.preflights import Preflights
from devicehub.core.published import Published
from devicehub.core.setting import Outcome, Setting
from devicehub.model.message import Message
from devicehub.model.payload import InspectionData
from devicehub.model.reading import Input, Reading, Stamp


class Station:
    """The core, inspections and preflights at its desks, and the lane's word. What `Core` has as well does the same."""

    def __init__(self, setting: Setting) -> None:
        self._core = Core(setting)
        self._published = Published()
        self._lane = Lane(setting.ids, setting.required, self._published)
        self._inspections = Inspections(setting.ids, self._published)
        self._inspections.revise(setting.desks, setting.scans, Stamp(0.0, 0.0))
        self.preflights = Preflights(setting.ids, self._published)
        self.preflights.revise(setting.desks, setting.devices, setting.needs, Stamp(0.0, 0.0))

    def births(self, now: Stamp) -> list[Message]:
        """Descriptions and first states of all devices, before anything was heard of them."""
        return self._heard(self._core.births(now))

    def resume(
        self,
        standing: Sequence[StandingAlarm],
        now: Stamp,
        left: Sequence[InspectionData] = (),
        taken: Iterable[Taken] = (),
    ) -> list[Message]:
        """Take over alarms and taken records of the last run, end its open inspections; the first word on the lane."""
        self._core.remember(taken)
        self._published.resume(standing)
        told = self._inspections.resume(left, standing, now)
        return told + self._summed_up(self._core.resume(standing, now), now)

    def revise(self, setting: Setting, restarted: Sequence[str], now: Stamp) -> list[Message]:
        """Go by another setting from now on; what ends with the old one, and the births of what is new."""
        told = self._heard(self._core.revise(setting, restarted, now))
        told += self._inspections.revise(setting.desks, setting.scans, now)
        told += self.preflights.revise(setting.desks, setting.devices, setting.needs, now)
        self._published.keep(setting.devices)
        self._lane.revise(setting.required)
        return told + self._lane.say(now)

    def step(self, inputs: Sequence[Input]) -> Outcome:
        """Take inputs in order of arrival; give messages in the order they are to be sent.

        What opens an inspection comes after all that was said before it, and what it is itself belongs to it.
        """
        outcome, start = Outcome(), 0
        for place in self._inspections.openings(inputs):
            self._part(inputs[start:place], outcome)
            start, item = place, inputs[place]
            if isinstance(item, Reading):
                outcome.messages += self._inspections.begin(item)
        self._part(inputs[start:], outcome)
        if inputs:
            outcome.messages += self._lane.say(inputs[-1].at)
            outcome.messages += self.preflights.settle(inputs[-1].at)
        return outcome

    def operate(self, act: Act, now: Stamp) -> Outcome:
        """A person's act on an alarm point, or why it is refused. A command that comes twice is done once."""
        outcome = self._core.operate(act, now)
        outcome.messages = self._summed_up(outcome.messages, now)
        return outcome

    def open_inspection(self, desk: str, reference: str, issuer: str, command: str, now: Stamp) -> Outcome:
        """Open an inspection at a desk, or at the only one; why it is refused."""
        try:
            return Outcome(self._inspections.open(desk, reference, (issuer, command), now))
        except RefusedInspectionError as error:
            return Outcome(refused=str(error))

    def close_inspection(self, desk: str, inspection: str, issuer: str, note: str, now: Stamp) -> Outcome:
        """End the inspection at a desk, or that of an id; why it is refused."""
        try:
            return Outcome(self._inspections.close(desk, inspection, (issuer, note), now))
        except RefusedInspectionError as error:
            return Outcome(refused=str(error))

    def tick(self, now: Stamp) -> list[Message]:
        """Once a second: what time alone brings."""
        told = self._heard(self._core.tick(now))
        return told + self._inspections.tick(now) + self._lane.say(now) + self.preflights.settle(now)

    def census(self) -> Census:
        """How it stands with all devices and alarms, in numbers."""
        return Census(self._core.count(), self._published.count())

    def finish(self, now: Stamp) -> list[Message]:
        """The hub stops, and everything was given."""
        told = self._heard(self._core.finish(now))
        told += self._inspections.finish(now) + self.preflights.finish(now)
        self._published.keep(())
        return told + self._lane.say(now)

    def _part(self, inputs: Sequence[Input], outcome: Outcome) -> None:
        if inputs:
            self.preflights.read(inputs)
            part = self._core.step(inputs)
            outcome.messages += self._heard(part.messages)
            outcome.captures += part.captures
            outcome.exposed |= part.exposed
            outcome.proven = part.proven

    def _summed_up(self, told: list[Message], now: Stamp) -> list[Message]:
        """The same, and what follows from it for the lane."""
        return self._heard(told) + self._lane.say(now)

    def _heard(self, told: list[Message]) -> list[Message]:
        """The same, with the inspections that it belongs to."""
        told = self._inspections.carried(told)
        self._published.note(told)
        self.preflights.hear(told)
        return told
