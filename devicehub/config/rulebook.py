"""The rules of a configuration as people are shown them."""

from collections.abc import Iterator, Mapping

from devicehub.config.models import Config
from devicehub.config.points import conditions_of, points_of
from devicehub.config.rules import rules_data
from devicehub.config.thermal import RegionConfig, ThermalConfig
from devicehub.core.mobility import MobilityRules
from devicehub.model.alarm import AlarmCategory, Condition, Priority
from devicehub.model.rulebook import Area, Response, RuleBook, RulePoint, Window


def rulebook(config: Config, mobility: Mapping[str, MobilityRules]) -> RuleBook:
    """Limits, thermal rules, regions, detection windows and what is to be done, in the order in which they are written.

    `mobility`: by what plasmagrams are judged, by device.
    """
    return RuleBook(
        rules=rules_data(config),
        file="" if config.alarm.rules is None else config.alarm.rules.name,
        changeable=config.alarm.control and config.alarm.rules is not None,
        points=(*_limits(config), *(_thermal(table) for table in config.thermal)),
        responses=tuple(Response(tuple(one.places()), one.texts()) for one in config.response),
        windows=tuple(
            Window(device, line.mode, line.name, line.k0 - line.window, line.k0 + line.window, line.interferent)
            for device, rules in mobility.items()
            for line in rules.library.lines
        ),
        regions=tuple(Area(region.device, region.name, _corners(region)) for region in config.region),
        due={one.device: one.calibration_due.isoformat() for one in config.preflight if one.calibration_due},
    )


def _corners(region: RegionConfig) -> tuple[tuple[float, float], ...]:
    if region.rectangle is None:
        return region.polygon
    left, top, width, height = region.rectangle
    return (left, top), (left + width, top), (left + width, top + height), (left, top + height)


def _limits(config: Config) -> Iterator[RulePoint]:
    for table in config.limit:
        for point, (condition, value) in zip(points_of(table), conditions_of(table), strict=True):
            yield RulePoint(
                device=point.device,
                point=point.name,
                channel=point.channel,
                condition=condition.value,
                priority=point.priority,
                category=point.category,
                limit=None if condition is Condition.STATE else value,
                hysteresis=point.hysteresis,
            )


def _thermal(table: ThermalConfig) -> RulePoint:
    ((look, (limit, high)),) = table.looks().items()
    return RulePoint(
        device=table.device,
        point=table.name,
        channel=table.channel,
        condition=look.value,
        priority=Priority(table.priority),
        category=AlarmCategory(table.category),
        limit=limit,
        until=None if high == limit else high,
        hysteresis=table.hysteresis,
        thermal=True,
    )
