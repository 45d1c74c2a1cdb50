"""From a limit as it is configured to the alarm points that the engine watches."""

from collections.abc import Iterator

from devicehub.config.limits import LimitConfig
from devicehub.config.models import Config
from devicehub.config.thermal import point_of, rules_of
from devicehub.model.alarm import AlarmCategory, Condition, Distrust, Limit, Priority
from devicehub.model.thermal import ThermalRule

_OUTER = {Condition.HIGH_HIGH, Condition.LOW_LOW}


def alarm_points(config: Config) -> list[Limit]:
    """The alarm points of all limits and thermal rules, in the order of the configuration."""
    limits = [point for limit in config.limit for point in points_of(limit)]
    return limits + [point_of(*pair) for pair in zip(config.thermal, thermal_rules(config), strict=True)]


def thermal_rules(config: Config) -> list[ThermalRule]:
    """The thermal rules, in the order of the configuration."""
    return list(rules_of(config.thermal, config.region))


def points_of(limit: LimitConfig) -> tuple[Limit, ...]:
    """One point per condition, each with its own name.

    Without a name it is `channel-high`, `channel-rise` and so on, with `.` written `-`; a name stands as it
    is for one condition and gets `-high` and the like for several.
    """
    given = list(conditions_of(limit))
    plain = bool(limit.name) and len(given) == 1
    stem = limit.name or limit.channel.replace(".", "-")
    return tuple(
        Limit(
            name=stem if plain else f"{stem}-{condition}",
            device=limit.device,
            channel=limit.channel,
            condition=condition,
            limit=value,
            hysteresis=limit.hysteresis,
            priority=Priority(limit.outer_priority if condition in _OUTER else limit.priority),
            category=AlarmCategory(limit.category),
            message=limit.message or "alarm.limit",
            on_delay_s=limit.on_delay_s,
            off_delay_s=limit.off_delay_s,
            realarm_s=limit.realarm_s,
            latch=limit.latch,
            count=limit.count,
            of=limit.of,
            window_s=value if condition is Condition.STALE else limit.window_s,
            reference=limit.reference,
            states=limit.states,
            distrust=Distrust(limit.distrust),
        )
        for condition, value in given
    )


def conditions_of(limit: LimitConfig) -> Iterator[tuple[Condition, float]]:
    """The conditions that are given, and the value of each; a state has none."""
    values = (
        (Condition.HIGH, limit.high),
        (Condition.LOW, limit.low),
        (Condition.HIGH_HIGH, limit.high_high),
        (Condition.LOW_LOW, limit.low_low),
        (Condition.RISE, limit.rise),
        (Condition.FALL, limit.fall),
        (Condition.DEVIATION, limit.deviation),
        (Condition.STATE, 0.0 if limit.states else None),
        (Condition.STALE, limit.stale_s),
    )
    return ((condition, value) for condition, value in values if value is not None)
