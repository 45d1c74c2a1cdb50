"""What one finished screening came to, and what it found, as an alarm."""

from collections.abc import Collection

from devicehub.model.reading import DeviceAlarm, Outcome
from devicehub.model.segment import segment

_WORST = (Outcome.ALARM, Outcome.INCONCLUSIVE, Outcome.ABORTED, Outcome.CLEAR)


def worst(outcomes: Collection[Outcome]) -> Outcome:
    """What a screening that says several things comes to; at least one. Clear only where all of them are."""
    return next(outcome for outcome in _WORST if outcome in outcomes)


def finding(kind: str, name: str, text: str, value: float | None = None) -> tuple[DeviceAlarm, DeviceAlarm]:
    """The alarm `kind-name`, raised and its condition ended at once.

    What was found was found in this one screening: the condition ends with it, the alarm stays until somebody has
    acknowledged and confirmed it. So the next one that finds the same is another activation, and not passed over.
    """
    point = segment(f"{kind} {name}".strip().lower().replace(" ", "-"))
    return DeviceAlarm(point, active=True, text=text, value=value), DeviceAlarm(
        point, active=False, text=text, value=value
    )
