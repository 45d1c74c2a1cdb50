"""Whatever happens to an alarm point, in any order: it is where a slow scalar model is; killed at any step, too."""

from math import nan
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devicehub.core import Core, Setting
from devicehub.core.alarms import StandingAlarm
from devicehub.model.alarm import AlarmCategory, Condition, Disposition, Limit, Shelf, Verb
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Quality
from tests.unit.core.bench import at, driver, ids, level
from tests.unit.core.operators import act
from tests.unit.core.reference_alarm import ReferenceAlarm

RULES = "sha256:" + "0" * 64
REST = (True, False, True, True, False, Shelf.NONE, False, False, False)
values = st.sampled_from([12.0, 9.0, 3.0, nan])


class AlarmLife(RuleBasedStateMachine):
    """One point of one core beside the reference. `kills`: the core may be killed and started again."""

    limit: ClassVar[Limit]
    managed: ClassVar[bool] = False
    kills: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        limit = self.limit
        self.ids = ids()
        self.core = self.started()
        self.model = ReferenceAlarm(
            self.managed, limit.latch, int(limit.on_delay_s), int(limit.off_delay_s), int(limit.realarm_s)
        )
        self.retained: AlarmData | None = None
        self.ended: set[str] = set()

    def started(self) -> Core:
        """A core as a start of the hub makes it; no two of them give the same ids."""
        return Core(Setting(devices={"dev": driver()}, limits=(self.limit,), rules_digest=RULES, ids=self.ids))

    def hear(self, messages: list[Message]) -> None:
        """What a broker sees: a state that is told, each event once, nothing of an alarm after its end."""
        for message in messages:
            data = message.data
            if message.kind is Kind.ALARM:
                assert data is None or isinstance(data, AlarmData)
                self.retained = data
            elif isinstance(data, AlarmData):
                assert message.type != "alarm.raised" or data.alarm not in self.ended
                if message.type == "alarm.cleared":
                    assert data.alarm not in self.ended
                    self.ended.add(data.alarm)

    @rule(number=values, good=st.booleans())
    def value(self, number: float, *, good: bool) -> None:
        self.hear(self.core.step([level(number, self.model.now, Quality.GOOD if good else Quality.BAD)]).messages)
        self.model.value(number, good=good)

    @rule(seconds=st.sampled_from([1, 2, 7]))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.model.second()
            self.hear(self.core.tick(at(self.model.now)))

    @rule(verb=st.sampled_from(Verb), seconds=st.sampled_from([1, 3, 20]), one_shot=st.booleans())
    def person(self, verb: Verb, seconds: int, *, one_shot: bool) -> None:
        what = act(verb, seconds=float(seconds), one_shot=one_shot, disposition=Disposition.UNRESOLVED)
        if one_shot and verb is Verb.SHELVE:
            what = act(verb, one_shot=True)
        outcome = self.core.operate(what, at(self.model.now))
        self.hear(outcome.messages)
        assert self.model.do(verb, seconds, one_shot=one_shot) is (outcome.refused == "")

    @precondition(lambda self: self.kills and (self.model.enabled or not self.model.beyond))
    @rule()
    def kill(self) -> None:
        """A disabled point remembers nothing of its values over a restart: it looks at the next one."""
        one = self.started()
        if self.retained is not None:
            assert one.resume([StandingAlarm("dev", "level-high", self.retained)], at(self.model.now)) == []
        self.core = one

    @invariant()
    def both_are_in_the_same_state(self) -> None:
        told = self.retained
        if told is None:
            assert self.model.flags == REST
            return
        shelf = Shelf.NONE if told.shelved is None else told.shelved.kind
        head = (told.enabled, told.active, told.acknowledged, told.confirmed, told.latched)
        assert self.model.flags == (
            *head,
            shelf,
            told.suppressed,
            told.out_of_service,
            told.silenced is not None,
        )
        assert self.core.alarms.count() == int(self.model.stands)


def limit(category: AlarmCategory, **more: object) -> Limit:
    given: dict[str, object] = {"hysteresis": 2.0, "category": category} | more
    return Limit("level-high", "dev", "level", Condition.HIGH, 10.0, **given)  # type: ignore[arg-type]  # fields by name


class Detection(AlarmLife):
    """Killed at any step."""

    limit = limit(AlarmCategory.THREAT, realarm_s=13.0)
    managed = True
    kills = True


class Ordinary(AlarmLife):
    """Killed at any step."""

    limit = limit(AlarmCategory.DEVICE, realarm_s=13.0)
    kills = True


class Latching(AlarmLife):
    """Killed at any step."""

    limit = limit(AlarmCategory.HUB, latch=True)
    kills = True


class Delayed(AlarmLife):
    """Never killed: a delay begins anew with a restart."""

    limit = limit(AlarmCategory.DEVICE, on_delay_s=3.0, off_delay_s=5.0, realarm_s=13.0)


class DelayedDetection(AlarmLife):
    """Never killed: a delay begins anew with a restart."""

    limit = limit(AlarmCategory.THREAT, on_delay_s=3.0, off_delay_s=5.0)
    managed = True


LONG = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestDetection = Detection.TestCase
TestOrdinary = Ordinary.TestCase
TestLatching = Latching.TestCase
TestDelayed = Delayed.TestCase
TestDelayedDetection = DelayedDetection.TestCase
for case in (TestDetection, TestOrdinary, TestLatching, TestDelayed, TestDelayedDetection):
    case.settings = LONG
del case  # it would be collected once more
