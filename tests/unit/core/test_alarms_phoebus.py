"""The hub beside the alarm server of EPICS Phoebus, situation by situation: `phoebus.toml`.

What Phoebus does is told after its documentation (app/alarm/ui/doc/index.rst: overview, alarm delay and count, automated actions)
and the situations of its own tests (services/alarm-server, AlarmLogicUnitTest), both at
https://github.com/ControlSystemStudio/phoebus. Its one alarm with a severity is two alarm points here, as levels are
independent of each other after OPC 10000-9, 5.8.20: what is compared is the worst of what stands.
"""

import tomllib
from math import nan
from pathlib import Path
from typing import Any

import pytest

from devicehub.core import Core
from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Disposition, Distrust, Limit, Verb
from devicehub.model.device import DeviceState
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Change, Quality
from tests.unit.core.bench import at, core, level
from tests.unit.core.operators import act

TRACES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("phoebus.toml").read_text("utf-8"))["trace"]
VALUES = {"OK": 0.0, "MINOR": 15.0, "MAJOR": 25.0}
ASIDE = {AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE}
WORST_FIRST = ("major", "minor")


class Watched:
    """One channel with two levels, and what a display of its alarms shows."""

    def __init__(self, trace: dict[str, Any]) -> None:
        options: dict[str, Any] = {
            "category": AlarmCategory(trace.get("category", "device")),
            "latch": trace.get("hub_latch", False),
            "on_delay_s": 0.0 if "count" in trace else float(trace.get("delay", 0)),
            "realarm_s": float(trace.get("realarm", 0)),
            "count": trace.get("count", 1),
            "of": 2 * trace.get("count", 1) - 1,
            "distrust": Distrust(trace.get("distrust", "judge")),
        }
        minor = Limit("minor", "dev", "level", Condition.HIGH, 10.0, **options)
        major = Limit("major", "dev", "level", Condition.HIGH_HIGH, 20.0, **options)
        self.core: Core = core(minor, major)
        self.points: dict[str, AlarmData] = {}

    def after(self, what: str, second: float) -> str:
        """The severity that is shown after a step, with `!` if something was announced."""
        told = [*self.core.tick(at(second)), *self.happens(what, second)]
        announced = False
        for message in told:
            if message.kind is Kind.ALARM and isinstance(message.data, AlarmData):
                self.points[message.point] = message.data
            elif message.kind is Kind.ALARM:
                self.points.pop(message.point, None)
            elif message.type in {"alarm.raised", "alarm.realarmed"} and isinstance(message.data, AlarmData):
                announced = announced or message.data.state not in ASIDE
        return self.shown() + "!" * announced

    def happens(self, what: str, second: float) -> list[Message]:
        if what == "wait":
            return []
        if what == "UNDEFINED":
            return self.core.step([Change("dev", at(second), DeviceState.LOST)]).messages
        if what == "INVALID":
            return self.core.step([level(nan, second, Quality.BAD)]).messages
        if what in VALUES:
            return self.core.step([level(VALUES[what], second)]).messages
        out: list[Message] = []
        for point in WORST_FIRST:
            wanted = act(Verb(what), point, disposition=Disposition.NUISANCE)
            out += self.core.operate(wanted, at(second)).messages
        return out

    def shown(self) -> str:
        """The worst of what stands and is not acknowledged; else the worst of what is."""
        for suffix, acknowledged in (("", False), ("_ACK", True)):
            for point in WORST_FIRST:
                data = self.points.get(point)
                if data is not None and data.state not in ASIDE and data.acknowledged is acknowledged:
                    return point.upper() + suffix
        return "OK"


def steps(trace: dict[str, Any]) -> list[tuple[float, str, str, str]]:
    """Second, what happens, what Phoebus shows and what the hub shows."""
    out: list[tuple[float, str, str, str]] = []
    for line in trace["steps"]:
        before, _, shown = line.partition(" -> ")
        second, what = before.split()
        phoebus, _, own = shown.partition(" | ")
        out.append((float(second), what, phoebus, own or phoebus))
    return out


@pytest.mark.parametrize("trace", TRACES, ids=[trace["name"] for trace in TRACES])
def test_the_hub_does_as_phoebus_does_or_as_its_table_says(trace: dict[str, Any]) -> None:
    watched = Watched(trace)
    for second, what, _, own in steps(trace):
        assert watched.after(what, second) == own, f"{second} {what}"


@pytest.mark.parametrize("trace", TRACES, ids=[trace["name"] for trace in TRACES])
def test_where_the_hub_differs_the_table_says_why(trace: dict[str, Any]) -> None:
    differs = any(phoebus != own for _, _, phoebus, own in steps(trace))
    assert differs is ("differs" in trace)


def test_all_that_phoebus_can_be_set_to_do_is_in_the_table() -> None:
    begun = {trace["name"].partition(":")[0].partition(",")[0].split()[0] for trace in TRACES}
    assert {"latched", "unlatched", "delay", "count", "disabled", "again"} <= begun
    assert len(TRACES) >= 15
