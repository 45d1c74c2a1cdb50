"""Rules that are tried live: what would come and go by them is told beside the alarms, and as nothing like them.

A shadow has no part in what the core does: it gets the same inputs, and gives events of its own. It is kept over no
restart: with each run it begins with nothing known.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from devicehub.core.trial import RuleSet, Trial, Verdict
from devicehub.driver import Driver
from devicehub.model.device import Channel
from devicehub.model.message import Kind, Message
from devicehub.model.payload import ShadowData
from devicehub.model.reading import Input, Stamp

REVISED = "the shadow's rules or devices were changed"


class Shadow:
    """The rule set that is tried, if there is one."""

    def __init__(self, ids: Callable[[], str]) -> None:
        self._ids = ids
        self._rules: RuleSet | None = None
        self._channels: dict[str, tuple[Channel, ...]] = {}
        self._trial: Trial | None = None

    def revise(self, devices: Mapping[str, Driver], rules: RuleSet | None, now: Stamp | None = None) -> list[Message]:
        """Try other rules from now on, unless they are the same; the ends of what was met by those before."""
        channels = {name: driver.channels for name, driver in devices.items()}
        if (rules, channels) == (self._rules, self._channels):
            return [] if self._trial is None or now is None else self._told(self._trial.reload(now))
        over = [] if self._trial is None or now is None else self._told(self._trial.over(now), REVISED)
        self._rules, self._channels = rules, channels
        self._trial = None if rules is None else Trial(devices, rules)
        return over

    def step(self, inputs: Sequence[Input]) -> list[Message]:
        """What the inputs bring by these rules."""
        return [] if self._trial is None else self._told(self._trial.step(inputs))

    def tick(self, now: Stamp) -> list[Message]:
        """What time alone brings by these rules."""
        return [] if self._trial is None else self._told(self._trial.tick(now))

    def _told(self, verdicts: Iterable[Verdict], why: str = "") -> list[Message]:
        return [self._message(one, why) for one in verdicts]

    def _message(self, verdict: Verdict, why: str) -> Message:
        data, rules = verdict.data, self._rules
        return Message(
            kind=Kind.EVENT,
            type="shadow.raised" if verdict.active else "shadow.returned",
            id=self._ids(),
            time=verdict.at.utc,
            mono=verdict.at.mono,
            data=ShadowData(
                met=verdict.active,
                rules_digest=data.rules_digest,
                version=None if rules is None else rules.version,
                condition=data.condition,
                priority=data.priority,
                category=data.category,
                value=data.value,
                limit=data.limit,
                unit=data.unit,
                why=why,
            ),
            device=verdict.device,
            point=verdict.point,
        )
