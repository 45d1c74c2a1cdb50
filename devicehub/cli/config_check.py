"""`devicehub config check`."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import note, print_json, say
from devicehub.config import Config, ConfigProblems, digest, load_config
from devicehub.config.mobility import mobility_rules
from devicehub.config.rules import remembered, shadow_config, succeeding
from devicehub.config.scan_key import known_key
from devicehub.config.watchlist import load_watchlist
from devicehub.model.errors import ConfigError


def run(args: argparse.Namespace) -> int:
    """Say what is wrong, one line each, or what there is. 0 or 78."""
    path = config_path(args)
    try:
        config = load_config(path, present=True)
        _watchlist(config)
        mobility_rules(config)
        _rules(config)
        shadow_config(config)
    except ConfigProblems as error:
        if not args.json:
            raise
        problems = [
            {"file": str(one.file), "line": one.line, "column": one.column, "text": one.text} for one in error.problems
        ]
        print_json({"file": str(path), "problems": problems})
        return Exit.CONFIG
    if args.json:
        print_json({"file": str(path), "problems": [], "digest": digest(config)})
    else:
        counted = f"{_counted(len(config.device), 'device')}, {_counted(len(config.limit), 'limit')}"
        say(f"{path}: valid; {counted}, {config.mqtt.url or 'embedded broker'}")
    return Exit.OK


def _watchlist(config: Config) -> None:
    """Raises `ConfigProblems` for a watch list that cannot be used; of its key as far as this computer has one."""
    if config.scan.watchlist is not None:
        load_watchlist(config.scan.watchlist, known_key(config))


def _rules(config: Config) -> None:
    """Raises `ConfigProblems` for rules that may not take the place of those in force on this computer."""
    try:
        before = remembered(config.hub.state)
    except ConfigError as error:
        note(f"{error}; whether the rules may take effect was not looked at")
        return
    succeeding(config, before)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
