"""Rules that take the place of others: on record before anything is judged by them, and remembered after that."""

from dataclasses import dataclass, field
from pathlib import Path

from devicehub.hub.plan import RulesChange
from devicehub.model.alarm import AlarmCategory, Condition, Limit
from devicehub.model.payload import RulesData
from devicehub.model.stream import Stream
from tests.system.house import RULES, Furniture, House, house, journalled
from tests.system.street import FRESH_RULES, street

HIGH = Limit("value-high", "a", "value", Condition.HIGH, 10.0, category=AlarmCategory.DEVICE)
SECOND = RulesData(FRESH_RULES, 1, 2, "M. Muster", "too many in the rain", previous=RULES, previous_version=1)


@dataclass
class Memory:
    """How many events of alarms were on record whenever the rules were remembered."""

    data: RulesData
    here: House | None = None
    seen: list[int] = field(default_factory=list[int])

    def change(self) -> RulesChange:
        async def remember() -> None:
            assert self.here is not None
            self.seen.append(self.here.hub._journal.stored[Stream.ALARMS].number)

        return RulesChange(self.data, remember)


async def test_a_change_is_on_record_before_the_first_alarm_by_the_new_rules(state: Path) -> None:
    memory = Memory(SECOND)
    async with street(state, "a") as here:
        memory.here = here.house
        here.limits, here.rules, here.change = [HIGH], FRESH_RULES, memory.change()
        await here.reload()
        assert here.house is not None
        await here.house.clock.sleep(2)
        words = [str(body["type"]) for body in journalled(here.house.broker) if body["stream"] == "alarms"]
    assert words[:2] == ["io.devicehub.alarm.rules", "io.devicehub.alarm.raised"]
    (told,) = here.data("event", "alarm-rules")
    assert told == {
        "digest": FRESH_RULES,
        "points": 1,
        "version": 2,
        "author": "M. Muster",
        "reason": "too many in the rain",
        "previous": RULES,
        "previous_version": 1,
    }
    assert memory.seen
    assert memory.seen[0] >= 1, "it is remembered once it is on record"


async def test_rules_that_changed_while_no_hub_ran_are_told_at_its_start(state: Path) -> None:
    memory = Memory(SECOND)
    furniture = Furniture(rules=memory.change())
    async with house(state, ["trace.aci_pids3"], furniture) as here:
        memory.here = here
        await here.clock.sleep(5)
    assert memory.seen == [1]
