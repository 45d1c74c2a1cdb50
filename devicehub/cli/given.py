"""What a command was given: the configuration, a device of it, options of a driver."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.config import Config, DeviceConfig, load_config
from devicehub.config.problems import suggestion
from devicehub.config.resources import usual_config
from devicehub.driver import Driver, Options
from devicehub.model.device import Option, OptionValue


def config_path(args: argparse.Namespace) -> Path:
    """The file named as argument or option, else the usual one."""
    given = getattr(args, "file", None) or args.config
    return Path(given) if given is not None else usual_config()


def given_config(args: argparse.Namespace) -> Config:
    """The configuration. Raises `ConfigProblems`."""
    return load_config(config_path(args))


def given_device(config: Config, name: str) -> DeviceConfig:
    """The configured device of that id. Raises `CommandError`."""
    for device in config.device:
        if device.id == name:
            return device
    known = [device.id for device in config.device]
    hint = suggestion(name, known) or f"; configured: {', '.join(known) or 'none'}"
    raise CommandError(Exit.CONFIG, f"no device '{name}'{hint}")


def given_options(driver: Driver, pairs: Iterable[tuple[str, str]]) -> Options:
    """`--option name=value`, read by the type of each option. Raises `ConfigError` through `Driver.settings`."""
    known = {option.name: option for option in driver.options}
    return driver.settings({name: _value(known.get(name), text) for name, text in pairs})


def _value(option: Option | None, text: str) -> OptionValue:
    if option is not None and isinstance(option.default, bool):
        return {"true": True, "false": False}.get(text, text)
    if option is None or isinstance(option.default, str):
        return text
    try:
        return int(text) if isinstance(option.default, int) else float(text)
    except ValueError:
        return text
