"""Hubs that are broken on purpose, each in one way that a scenario is to find: what is broken, and where it shows."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final, cast

import msgspec
import pytest

from devicehub.alarm import acts
from devicehub.alarm.acts import Act
from devicehub.core import Outcome
from devicehub.core.register import RAISED
from devicehub.exercise.schema import Expect, Scenario
from devicehub.exercise.trainee import Trainee
from devicehub.hub import Plan, running, verbs
from devicehub.hub.declared import ALARM_COMMANDS
from devicehub.model.alarm import Condition, Disposition, Verb
from devicehub.model.message import Message
from devicehub.model.reading import Capability, Cause, Image, Level, Quality, Sample, Shutter
from devicehub.process import Sinks
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.system.rehearsal import as_it_is

LATE: Final = 20.0
NO_CODE: Final = "harmless"
_KEPT: Final = (Disposition.UNRESOLVED, Disposition.TEST)


class Slipping(Trainee):
    """Does what is expected, but says first that each alarm was something that there is not."""

    def _act(self, verb: str, alarm: str, **args: str) -> None:
        if verb == Verb.CONFIRM:
            super()._act(verb, alarm, disposition=NO_CODE)
        super()._act(verb, alarm, **args)


@dataclass
class _AllIsWell:
    """A device whose driver calls everything good."""

    inner: DeviceProtocol

    def start(self, now: float) -> Step:
        return self._told(self.inner.start(now))

    def on_packet(self, now: float, packet: Packet) -> Step:
        return self._told(self.inner.on_packet(now, packet))

    def on_timer(self, now: float) -> Step:
        return self._told(self.inner.on_timer(now))

    def _told(self, step: Step) -> Step:
        return msgspec.structs.replace(step, samples=tuple(map(_good, step.samples)))


def _good(sample: Sample) -> Sample:
    if isinstance(sample, Image):
        return msgspec.structs.replace(sample, quality=Quality.GOOD, cause=Cause.NONE, shutter=Shutter.OPEN)
    if isinstance(sample, Capability):
        return Capability(sample.name, Level.FULL)
    return sample


def _stale_shown_as_good(plan: Plan) -> Plan:
    def lying(make: Callable[[], DeviceProtocol]) -> Callable[[], DeviceProtocol]:
        return lambda: _AllIsWell(make())

    posts = [replace(post, make_protocol=lying(post.make_protocol)) for post in plan.posts]
    return replace(plan, posts=posts)


def _never_stale(plan: Plan) -> Plan:
    """Nothing that is silent ever counts as stale: not its values, and not the device itself."""
    setting = plan.setting
    limits = [one for one in setting.limits if one.condition is not Condition.STALE]
    devices = {name: replace(one, stale_after=inf) for name, one in setting.devices.items()}
    return replace(plan, setting=replace(setting, limits=limits, devices=devices))


@dataclass(frozen=True)
class _LateSinks(Sinks):
    """What tells of a new alarm lies about for a while; all else goes its way."""

    pending: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def accept(self, outcome: Outcome) -> None:
        held = [one for one in outcome.messages if one.type == RAISED]
        outcome.messages = [one for one in outcome.messages if one.type != RAISED]
        if held:
            self.pending.add(task := asyncio.create_task(self._later(held)))
            task.add_done_callback(self.pending.discard)
        await Sinks.accept(self, outcome)

    async def _later(self, held: list[Message]) -> None:
        await self.clock.sleep(LATE)
        await Sinks.accept(self, Outcome(held))


def _late_alarms(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(running, "Sinks", _LateSinks)


def _any_code(patch: pytest.MonkeyPatch) -> None:
    """Neither the declaration nor the act itself knows which dispositions there are."""
    confirm = ALARM_COMMANDS[Verb.CONFIRM]
    options = tuple(replace(one, choices=()) for one in confirm.options)
    patch.setattr(verbs, "ALARM_COMMANDS", {**ALARM_COMMANDS, Verb.CONFIRM: replace(confirm, options=options)})

    def lenient(verb: str, command: str, issuer: str, arguments: Mapping[str, object], utc: float) -> Act:
        code = str(arguments.get("disposition", ""))
        act = acts.act_of(verb, command, issuer, {**arguments, "disposition": ""}, utc)
        return msgspec.structs.replace(act, disposition=cast(Disposition, code)) if code else act

    patch.setattr(verbs, "act_of", lenient)


def _threat_for_innocent(patch: pytest.MonkeyPatch) -> None:
    def swapping(verb: str, command: str, issuer: str, arguments: Mapping[str, object], utc: float) -> Act:
        act = acts.act_of(verb, command, issuer, arguments, utc)
        if act.disposition is None or act.disposition in _KEPT:
            return act
        threat = act.disposition is Disposition.CONFIRMED_THREAT
        other = Disposition.KNOWN_CAUSE if threat else Disposition.CONFIRMED_THREAT
        return msgspec.structs.replace(act, disposition=other)

    patch.setattr(verbs, "act_of", swapping)


def _nothing(patch: pytest.MonkeyPatch) -> None:
    del patch


def _expects(wanted: Callable[[Expect], bool]) -> Callable[[Scenario], bool]:
    return lambda scenario: any(wanted(step.expect) for step in scenario.at if step.expect is not None)


def _plays(*kinds: str) -> Callable[[Scenario], bool]:
    return lambda scenario: any(step.do == "fault" and step.values.get("kind") in kinds for step in scenario.at)


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """`plan`, `code`: what is broken. `shows`: whether a scenario can find it, which is not the case where it

    expects no alarm (late), no driver says that what it has is old (shown as good), the hub itself need not notice a
    silence (never stale), no alarm is closed (any code), or none as threat or innocent. `whys`: one of them is told.
    """

    shows: Callable[[Scenario], bool]
    plan: Callable[[Plan], Plan] = as_it_is
    code: Callable[[pytest.MonkeyPatch], None] = _nothing
    whys: frozenset[str] = field(default_factory=frozenset[str])


SABOTAGES: Final[Mapping[str, Sabotage]] = {
    "late-alarms": Sabotage(
        code=_late_alarms,
        shows=_expects(lambda one: bool(one.alarm)),
        whys=frozenset({"not raised in time"}),
    ),
    "stale-shown-as-good": Sabotage(
        plan=_stale_shown_as_good,
        shows=_plays("freeze", "stuck"),
        whys=frozenset({"not raised in time", "the lane said no-alarm"}),
    ),
    "never-stale": Sabotage(
        plan=_never_stale,
        shows=_plays("freeze", "timeout"),
        whys=frozenset({"not raised in time", "the lane said no-alarm"}),
    ),
    "any-code": Sabotage(
        code=_any_code,
        shows=_expects(lambda one: bool(one.disposition)),
        whys=frozenset({f"closed as {NO_CODE}"}),
    ),
    "threat-for-innocent": Sabotage(
        code=_threat_for_innocent,
        shows=_expects(lambda one: any(code not in _KEPT for code in one.disposition[:1])),
        whys=frozenset({"closed as innocent.known-cause", "closed as confirmed-threat"}),
    ),
}
