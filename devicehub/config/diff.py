"""What differs between two configurations, by what it takes to have it take effect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from devicehub.config.models import Config, DeviceConfig
from devicehub.config.points import alarm_points
from devicehub.model.alarm import Limit

LIVE = frozenset(
    {
        "alarm.control",
        "alarm.rules",
        "alarm.shadow",
        "alarm.shelve_most_h",
        "desk",
        "hub.health_s",
        "hub.readings",
        "journal.days",
        "journal.gib",
        "lane.requires",
        "preflight",
        "region",
        "response",
        "rules",
        "scan.key",
        "scan.publish",
        "scan.watchlist",
        "thermal",
    }
)
MOST_NAMED = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What came, went and is otherwise than before, each in the order of its configuration."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """From one configuration to another.

    `restart`: keys that nothing but a restart can change. `live`: keys that may change at any time. `devices`:
    those that run, so that one that is disabled counts as removed. `limits`: alarm points as `device/point`, of
    devices that run.
    """

    restart: tuple[str, ...]
    live: tuple[str, ...]
    devices: Names
    limits: Names

    def summary(self) -> str:
        """What changed, in a line for people."""
        parts = [
            *_counted("devices", self.devices, "restarted"),
            *_counted("limits", self.limits, "changed"),
            *([f"set {', '.join(self.live)}"] if self.live else []),
        ]
        return "; ".join(parts) or "nothing changed that runs"


def diff(old: Config, new: Config) -> Difference:
    """What differs. A key that is not known to be `LIVE` takes a restart."""
    before, after = settings(old), settings(new)
    changed = [key for key in after if before[key] != after[key]]
    return Difference(
        restart=tuple(key for key in changed if key not in LIVE),
        live=tuple(key for key in changed if key in LIVE),
        devices=_names(running(old), running(new)),
        limits=_names(watched(old), watched(new)),
    )


def settings(config: Config) -> dict[str, object]:
    """The value of each key that is of no device and no limit, by its dotted name."""
    found: dict[str, object] = {}
    for name in type(config).model_fields:
        section = getattr(config, name)
        if name in {"device", "limit"}:
            continue
        inner = None if name == "rules" else getattr(type(section), "model_fields", None)
        keys = {name: section} if inner is None else {f"{name}.{key}": getattr(section, key) for key in inner}
        found.update(keys)
    return found


def running(config: Config) -> dict[str, DeviceConfig]:
    """The devices that run, by id."""
    return {device.id: device for device in config.device if device.enabled}


def watched(config: Config) -> dict[str, Limit]:
    """The alarm points of the limits of devices that run."""
    devices = running(config)
    return {f"{point.device}/{point.name}": point for point in alarm_points(config) if point.device in devices}


def _names(old: Mapping[str, T], new: Mapping[str, T]) -> Names:
    return Names(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in new if name in old and old[name] != new[name]),
    )


def _counted(what: str, names: Names, otherwise: str) -> list[str]:
    groups = (("added", names.added), ("removed", names.removed), (otherwise, names.changed))
    return [f"{what} {word}: {_listed(group)}" for word, group in groups if group]


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"and {len(every) - MOST_NAMED} more"] if len(every) > MOST_NAMED else []
    return ", ".join(every[:MOST_NAMED] + more)
