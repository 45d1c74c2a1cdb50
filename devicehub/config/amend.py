"""A limit of the rule file is changed in place, as a new version with its author and reason, and never otherwise."""

import os
import shutil
from collections.abc import Callable
from math import isclose
from pathlib import Path

from devicehub.config.load import with_rules
from devicehub.config.models import Config
from devicehub.config.points import conditions_of, points_of
from devicehub.config.rules import InForce, rules_digest, succeeding
from devicehub.disk import sync_folder
from devicehub.model.alarm import Condition
from devicehub.model.errors import ConfigError
from devicehub.model.rulebook import LimitWish
from devicehub.model.thermal import Look
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.rewrite import rewritten

_FIXED = frozenset({Condition.STATE})
_SECONDS = {Condition.STALE: "stale_s"}


def amend(config: Config, before: InForce, wish: LimitWish) -> Callable[[], None]:
    """Change the rule file of a configuration that runs; what puts it back as it was.

    Raises `ConfigError` where limits may not be changed by command, where the file is not what is in force, for a
    limit that is not what was seen, and for rules that would not be right. Then nothing has changed.
    """
    path = config.alarm.rules
    if path is None:
        raise ConfigError("no rule file holds the limits, so a change would have no version: see alarm.rules")
    if not config.alarm.control:
        raise ConfigError("alarm.control is not true: limits are changed by whoever may edit the rule file")
    if rules_digest(with_rules(config, path)) != rules_digest(config):
        raise ConfigError(f"{path}: was edited and is not in force; have it read again first")
    try:
        return _replaced(path.resolve(), config, before, wish)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def amended(text: str, config: Config, highest: int, wish: LimitWish) -> str:
    """The text of the rule file with the change. `highest`: version of all that were in force. Raises `ConfigError`."""
    place, now = limit_place(config, wish.device, wish.point)
    if not isclose(now, wish.was, rel_tol=1e-9, abs_tol=1e-12):
        raise ConfigError(f"the limit of {wish.device}/{wish.point} is {now:g}, not {wish.was:g}: look again")
    if wish.value == now:
        raise ConfigError(f"the limit of {wish.device}/{wish.point} is {now:g} already")
    head: dict[KeyPath, float | int | str] = {
        ("rules", "version"): highest + 1,
        ("rules", "author"): wish.author,
        ("rules", "reason"): wish.reason,
    }
    return rewritten(text, {place: wish.value} | head)


def limit_place(config: Config, device: str, point: str) -> tuple[KeyPath, float]:
    """Where in the rule file the limit of an alarm point stands, and what it is. Raises `ConfigError`."""
    for number, table in enumerate(config.limit):
        for made, (condition, value) in zip(points_of(table), conditions_of(table), strict=True):
            if (made.device, made.name) == (device, point) and condition not in _FIXED:
                return ("limit", number, _SECONDS.get(condition, condition.value.replace("-", "_"))), value
    for number, rule in enumerate(config.thermal):
        ((look, (value, _)),) = rule.looks().items()
        if (rule.device, rule.name) == (device, point) and look is not Look.INTERVAL:
            return ("thermal", number, look.value), value
    raise ConfigError(f"no limit of {device}/{point} can be changed in this way")


def _replaced(path: Path, config: Config, before: InForce, wish: LimitWish) -> Callable[[], None]:
    old = path.read_bytes()
    version = max(before.highest, before.rules.version or 0)
    text = amended(old.decode("utf-8"), config, version, wish)
    part = path.with_name(f".{path.name}.part")
    try:
        _written(part, text.encode("utf-8"), path)
        succeeding(with_rules(config, part), before)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)

    def undo() -> None:
        """Put the old rules back. Raises `OSError`."""
        _written(part, old, path)
        part.rename(path)
        sync_folder(path.parent)

    return undo


def _written(part: Path, content: bytes, like: Path) -> None:
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    shutil.copymode(like, part)
