"""From a limit as it is configured to the alarm points that the engine watches."""

from devicehub.config.models import Config, LimitConfig
from devicehub.config.thermal import point_of, rules_of
from devicehub.model.alarm import AlarmCategory, Condition, Limit, Priority
from devicehub.model.thermal import ThermalRule


def alarm_points(config: Config) -> list[Limit]:
    """The alarm points of all limits and thermal rules, in the order of the configuration."""
    limits = [point for limit in config.limit for point in points_of(limit)]
    return limits + [point_of(*pair) for pair in zip(config.thermal, thermal_rules(config), strict=True)]


def thermal_rules(config: Config) -> list[ThermalRule]:
    """The thermal rules, in the order of the configuration."""
    return list(rules_of(config.thermal, config.region))


def points_of(limit: LimitConfig) -> tuple[Limit, ...]:
    """One point per side, each with its own name.

    Without a name it is `channel-high` or `channel-low`, with `.` written `-`; a name stands as it
    is for one side and gets `-high` and `-low` for two.
    """
    sides = [(Condition.HIGH, limit.high), (Condition.LOW, limit.low)]
    given = [(condition, value) for condition, value in sides if value is not None]
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
            priority=Priority(limit.priority),
            category=AlarmCategory(limit.category),
            message=limit.message or "alarm.limit",
            on_delay_s=limit.on_delay_s,
            off_delay_s=limit.off_delay_s,
            realarm_s=limit.realarm_s,
            latch=limit.latch,
        )
        for condition, value in given
    )
