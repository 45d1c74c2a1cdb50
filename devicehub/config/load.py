"""From files to a configuration: read, locate, merge, validate, cross-check."""

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from devicehub.config.checks import RULE_TABLES, check, check_rules
from devicehub.config.models import Config, RuleFile
from devicehub.config.plain_words import complaints
from devicehub.config.presence import absent
from devicehub.config.salvage import check_rest
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import ConfigProblems, Problem, key_text
from devicehub.tomlfile.read import TomlFile, Tree, placed, read_file


def load_config(path: Path, *, present: bool = False) -> Config:
    """Read `path` and every `conf.d/*.toml` beside it, in the order of their names.

    Tables of several files merge, arrays of tables append, a key that is set twice is a mistake.
    Limits, regions and thermal rules are those of the rule file, where `alarm.rules` names one. Relative paths are
    relative to the folder of `path`. `present`: what the configuration names (files,
    folders, environment variables) must be there, too. Raises `ConfigProblems`; while a value is wrong by itself,
    of the mistakes that only show between keys those are reported that do not depend on it.
    """
    values, places = _merged(path)
    try:
        config = Config.model_validate(values, context={"folder": path.parent.absolute()})
    except ValidationError as error:
        found = [*complaints(error), *check_rest(values, error)]
        raise ConfigProblems(placed(complaint, places) for complaint in found) from None
    found = [*check(config), *(absent(config) if present else ())]
    problems = [placed(complaint, places) for complaint in found]
    if problems:
        raise ConfigProblems(problems)
    return config if config.alarm.rules is None else with_rules(config, config.alarm.rules)


def device_folder(path: Path) -> Path | None:
    """The folder of the site's own device files, whatever else the configuration says. Raises `ConfigProblems`."""
    hub = _merged(path)[0].get("hub")
    named = hub.get("device_files") if isinstance(hub, dict) else None
    return path.parent.absolute() / Path(named).expanduser() if isinstance(named, str) else None


def with_rules(config: Config, path: Path) -> Config:
    """A configuration that is right, with the rules of that rule file in place of its own. Raises `ConfigProblems`."""
    file = read_file(path, "no such rule file")
    places = {at: Problem(path, place.line, place.column, "") for at, place in file.positions.items()}
    try:
        rules = RuleFile.model_validate(file.values)
    except ValidationError as error:
        raise ConfigProblems(placed(one, places) for one in complaints(error, RuleFile)) from None
    fresh = config.model_copy(update={name: getattr(rules, name) for name in ("rules", *RULE_TABLES)})
    if problems := [placed(complaint, places) for complaint in check_rules(fresh)]:
        raise ConfigProblems(problems)
    return fresh


def digest(config: Config) -> str:
    """`sha256:...` of the effective configuration: the same for the same settings, however they are written."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _merged(path: Path) -> tuple[Tree, dict[KeyPath, Problem]]:
    files: list[TomlFile] = []
    problems: list[Problem] = []
    for one in [path, *sorted((path.parent / "conf.d").glob("*.toml"))]:
        try:
            files.append(read_file(one))
        except ConfigProblems as error:
            problems.extend(error.problems)
    merge = _Merge(path)
    for file in files:
        merge.add(file)
    problems.extend(merge.problems)
    if problems:
        raise ConfigProblems(problems)
    return merge.values, merge.places


class _Merge:
    """One tree from several files, every key with its place."""

    def __init__(self, main: Path) -> None:
        self.values: Tree = {}
        self.places: dict[KeyPath, Problem] = {(): Problem(main, 1, 1, "")}
        self.problems: list[Problem] = []

    def add(self, file: TomlFile) -> None:
        self._table(self.values, file.values, (), file)

    def _table(self, into: Tree, new: Tree, path: KeyPath, file: TomlFile) -> None:
        for key, value in new.items():
            here: KeyPath = (*path, key)
            old = into.get(key)
            if key not in into:
                into[key] = value
                self._record(value, here, here, file)
            elif isinstance(old, dict) and isinstance(value, dict):
                self._table(old, value, here, file)
            elif isinstance(old, list) and isinstance(value, list) and all(isinstance(x, dict) for x in old + value):
                for number, element in enumerate(value):
                    self._record(element, (*here, number), (*here, len(old) + number), file)
                into[key] = old + value
            else:
                self._twice(here, file)

    def _record(self, value: object, inside: KeyPath, path: KeyPath, file: TomlFile) -> None:
        """Note the places of a value and all below it; `inside` is its path within its own file."""
        position = file.positions[inside]
        self.places[path] = Problem(file.path, position.line, position.column, "")
        keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            self._record(value[key], (*inside, key), (*path, key), file)  # type: ignore[index]  # a dict or list here

    def _twice(self, path: KeyPath, file: TomlFile) -> None:
        position, first = file.positions[path], self.places[path]
        text = f"{key_text(path)}: already set at {first.file}:{first.line}:{first.column}"
        self.problems.append(Problem(file.path, position.line, position.column, text))
