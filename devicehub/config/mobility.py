"""From the substance libraries that devices name to the rules by which their plasmagrams are judged."""

from collections.abc import Iterator
from pathlib import Path

from devicehub.alarm.mobility import SubstanceLibrary
from devicehub.config.models import Config, MobilityConfig
from devicehub.config.substances import load_library
from devicehub.core.mobility import MobilityRules
from devicehub.model.alarm import Priority
from devicehub.tomlfile.problems import ConfigProblems, Problem


def mobility_rules(config: Config) -> dict[str, MobilityRules]:
    """The rules of each device that runs and has some; each library is read once.

    Raises `ConfigProblems` with every mistake in the libraries, and for one that must not be used as it is.
    """
    named = {one.id: one.mobility for one in config.device if one.enabled and one.mobility is not None}
    libraries: dict[Path, SubstanceLibrary] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(one.library for one in named.values()):
        try:
            libraries[path] = load_library(path)
        except ConfigProblems as error:
            problems += error.problems
    for device, one in named.items():
        if one.library in libraries:
            texts = _unfit(device, one, libraries[one.library], exercise=config.hub.exercise)
            problems += [Problem(one.library, 1, 1, text) for text in texts]
    if problems:
        raise ConfigProblems(problems)
    return {
        device: MobilityRules(libraries[one.library], one.modes or None, one.single, Priority(one.priority))
        for device, one in named.items()
    }


def _unfit(device: str, given: MobilityConfig, library: SubstanceLibrary, *, exercise: bool) -> Iterator[str]:
    if library.status == "training" and not exercise:
        yield f'status = "training": device {device} may use it only with hub.exercise = true'
    known = [mode.name for mode in library.modes]
    for mode in given.modes:
        if mode not in known:
            yield f"has no [[mode]] {mode}, which device {device} is fitted with"
