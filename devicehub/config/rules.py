"""Which rules are in force, which were before, and whether the change from the one to the other was made openly.

A hub remembers in its state folder by which rules it went last. Rules of a file that differ from them need a version
above every one before, and a reason of their own; rules that are the same need nothing. What the digest covers is what
is judged by: limits, regions and thermal rules, and what is to be done upon their alarms, whatever order and form they
are written in.
"""

import hashlib
import json
import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.config.checks import RULE_TABLES
from devicehub.config.load import with_rules
from devicehub.config.models import Config
from devicehub.config.points import alarm_points, thermal_rules
from devicehub.core.trial import RuleSet
from devicehub.disk import sync_folder
from devicehub.model.errors import ConfigError
from devicehub.model.payload import RulesData
from devicehub.tomlfile.problems import Complaint, ConfigProblems, Problem, value_mistake
from devicehub.tomlfile.read import placed, read_file

MEMORY: Final = "rules.json"
_SHOWN: Final = 19
_FIRST: Final = frozenset({"limit", "region", "thermal"})


class InForce(Struct, frozen=True):
    """Rules that a hub went by. `highest`: the highest version of all that it ever went by, 0 for none."""

    rules: RulesData
    highest: int = 0

    def after(self, rules: RulesData) -> "InForce":
        """Once other rules have taken their place."""
        return InForce(rules, max(self.highest, rules.version or 0))


def rules_digest(config: Config) -> str:
    """`sha256:...` of the rules. A key at its default counts as one that is not there: new keys change nothing.

    Nor does a kind of table that came later than the first ones, where there is none of it.
    """
    tables = {
        name: sorted(_text(table.model_dump(mode="json", exclude_defaults=True)) for table in getattr(config, name))
        for name in RULE_TABLES
        if name in _FIRST or getattr(config, name)
    }
    return "sha256:" + hashlib.sha256(_text(tables).encode()).hexdigest()


def rules_data(config: Config) -> RulesData:
    """The rules as they are told of. The configuration may be one that never ran."""
    head = config.rules
    return RulesData(
        digest=rules_digest(config),
        points=len(alarm_points(config)),
        version=None if head is None else head.version,
        author="" if head is None else head.author,
        reason="" if head is None else head.reason,
    )


def rule_set(config: Config, devices: Container[str]) -> RuleSet:
    """The rules on those devices, as the core goes by them."""
    return RuleSet(
        limits=[point for point in alarm_points(config) if point.device in devices],
        thermal=[rule for rule in thermal_rules(config) if rule.device in devices],
        digest=rules_digest(config),
        version=None if config.rules is None else config.rules.version,
    )


def shadow_config(config: Config) -> Config | None:
    """The configuration with the rules that are only tried, if there are some. Raises `ConfigProblems`."""
    return None if config.alarm.shadow is None else with_rules(config, config.alarm.shadow)


def succeeding(config: Config, before: InForce | None) -> InForce:
    """The rules of a configuration, in force after those before. Raises `ConfigProblems` where they may not be."""
    new = rules_data(config)
    if before is None:
        return InForce(new, new.version or 0)
    path = config.alarm.rules
    found = list(_refused(new, before)) if path is not None else []
    if path is not None and found:
        positions = read_file(path, "no such rule file").positions
        places = {at: Problem(path, place.line, place.column, "") for at, place in positions.items()}
        raise ConfigProblems(placed(complaint, places) for complaint in found)
    return before.after(new)


def _refused(new: RulesData, before: InForce) -> Iterator[Complaint]:
    old, version = before.rules, new.version or 0
    where = ("rules", "version")
    if old.digest != new.digest:
        if version <= before.highest:
            text = (
                f"the rules differ from those in force ({new.digest[:_SHOWN]}, not {old.digest[:_SHOWN]}): they need a "
                f"version above {before.highest}, and its author and reason"
            )
            yield value_mistake(where, version, text)
        if new.reason == old.reason:
            text = f"rules.reason: is that of version {old.version}; say why the rules were changed"
            yield Complaint(("rules", "reason"), text)
    elif version < before.highest:
        yield value_mistake(where, version, f"version {before.highest} was in force already")
    elif version == old.version and (new.author, new.reason) != (old.author, old.reason):
        text = "was in force with another author or reason; give the new ones a version of their own"
        yield value_mistake(where, version, text)


def remembered(state: Path) -> InForce | None:
    """By which rules a hub with that state folder went last; None where none ever did. Raises `ConfigError`."""
    path = state / MEMORY
    try:
        return msgspec.json.decode(path.read_bytes(), type=InForce)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"memory of the rules in force, {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ConfigError(
            f"memory of the rules in force, {path}: not what a hub wrote; restore it, or delete it to begin anew"
        ) from None


def remember(state: Path, now: InForce) -> None:
    """Have that survive a crash, whole or not at all. Raises `OSError`."""
    path = state / MEMORY
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(now), indent=2) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(path)
    sync_folder(state)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
