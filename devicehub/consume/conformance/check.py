"""All rules, one after the other."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from devicehub.consume.conformance.broken import Broken
from devicehub.consume.conformance.rules import Rule
from devicehub.consume.conformance.stage import Stage


class Outcome(Struct, frozen=True):
    """Of one rule. `why`: what was seen, empty where it holds; `played`: False where it could not be tried."""

    rule: str
    why: str = ""
    played: bool = True

    @property
    def holds(self) -> bool:
        """Whether the consumer keeps to it."""
        return self.played and not self.why


async def check(stage: Stage, rules: Sequence[Rule]) -> AsyncIterator[Outcome]:
    """Play them. After one that does not hold everything is sent again; where that is no help, the rest is not tried.

    Raises `DeliveryError` when the broker goes.
    """
    able = True
    for rule in rules:
        if not able:
            yield Outcome(rule.text, "the consumer does not come forward any more", played=False)
            continue
        why = await _played(stage, rule)
        if why:
            able = await _recovered(stage)
        yield Outcome(rule.text, why)


async def _played(stage: Stage, rule: Rule) -> str:
    try:
        await rule.play(stage)
        stage.judge()
    except Broken as broken:
        return str(broken)
    return ""


async def _recovered(stage: Stage) -> bool:
    try:
        await stage.settle()
    except Broken:
        return False
    return bool(stage.told)
