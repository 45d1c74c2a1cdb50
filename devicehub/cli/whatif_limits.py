"""What a replay of the journal cannot say, in sentences: an answer that hides it would be taken for more than it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from devicehub.cli.whatif_replay import Passed
from devicehub.core.trial import RuleSet
from devicehub.model.alarm import Condition
from devicehub.model.instant import instant

_NAMED: Final = 5
_LATE: Final = 60.0


def limitations(passed: Passed, sets: Sequence[RuleSet], since: float | None) -> Iterator[str]:
    """Each a sentence without its full stop. `since`: UTC seconds that were asked for."""
    if passed.first is None:
        yield "anything; the journal holds nothing of that time"
    elif since is not None and passed.first - since > _LATE:
        yield f"what came before {instant(passed.first)}; the journal does not go back further"
    if images := sorted({f"{one.device}/{one.name}" for rules in sets for one in rules.limits if "." in one.channel}):
        yield f"images, which are not journalled: nothing is said of {_listed(images)}"
    if passed.valueless:
        yield f"{passed.valueless} values that were no number; whether they were infinite is not journalled"
    if passed.illegible:
        yield f"{passed.illegible} events that are damaged or of another make"
    if passed.gaps:
        names = [f"{name} ({count})" for name, count in passed.gaps.most_common()]
        yield f"what is missing in the journal itself; it tells of gaps of {_listed(names)}"
    if passed.foreign:
        yield f"readings of devices that are not configured now: {_listed(sorted(passed.foreign))}"
    yield from _assumed(passed, sets)


def _assumed(passed: Passed, sets: Sequence[RuleSet]) -> Iterator[str]:
    """What was taken otherwise than it was."""
    if passed.steps:
        yield f"{passed.steps} settings of the wall clock to better than half a second"
    if passed.rules > 1:
        yield f"{passed.rules} changes of the rules: old are those that are configured now, over all of the time"
    if passed.disabled:
        yield f"{passed.disabled} times that somebody disabled an alarm point: both rule sets are taken to be enabled"
    rates = [one for rules in sets for one in rules.limits if one.condition in {Condition.RISE, Condition.FALL}]
    if rates:
        yield "times to better than a millisecond, by which rates are computed"


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"and {len(every) - _NAMED} more"] if len(every) > _NAMED else []
    return ", ".join(every[:_NAMED] + more)
