"""What a command was given: the configuration, a device of it, options of a driver."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from devicehub.cli.capture import Timed, transcript_options, transcript_packets
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.usual import usual_config
from devicehub.config import Config, DeviceConfig, device_folder, load_config
from devicehub.driver import Driver, Options
from devicehub.model.device import Option, OptionValue
from devicehub.model.errors import ConfigError
from devicehub.registry import driver_names, load_driver
from devicehub.tomlfile.problems import suggestion


def config_path(args: argparse.Namespace) -> Path:
    """The file named as argument or option, else the usual one. Raises `CommandError` if it cannot be opened."""
    file: Path | None = getattr(args, "file", None)
    if file is not None and args.config is not None:
        raise CommandError(Exit.USAGE, "give the configuration as FILE or as --config, not both")
    return _readable(file or args.config or usual_config())


def _readable(path: Path) -> Path:
    """The path of a configuration that is there. Raises `CommandError`."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise CommandError(Exit.NO_INPUT, f"{path}: no such file; 'devicehub config init' writes one") from None
    return path


def given_config(args: argparse.Namespace) -> Config:
    """The configuration. Raises `ConfigProblems`, and `CommandError` if it cannot be opened."""
    return load_config(config_path(args))


def given_driver(name: str, folder: Path | None = None) -> Driver:
    """The driver of that name, also of the site's own `folder`. Raises `CommandError`, `ConfigError`."""
    known = driver_names(folder)
    if name not in known:
        hint = suggestion(name, known) or "; 'devicehub drivers list' shows all"
        raise CommandError(Exit.USAGE, f"unknown driver '{name}'{hint}")
    return load_driver(name, folder)


def given_folder(path: Path) -> Path | None:
    """The folder of the site's own device files. Raises `ConfigProblems`, and `CommandError` if it cannot be read."""
    return device_folder(_readable(path))


def given_device(config: Config, name: str) -> DeviceConfig:
    """The configured device of that id. Raises `CommandError`."""
    for device in config.device:
        if device.id == name:
            return device
    known = [device.id for device in config.device]
    hint = suggestion(name, known) or f"; configured: {', '.join(known) or 'none'}"
    raise CommandError(Exit.USAGE, f"no device '{name}'{hint}")


def given_options(driver: Driver, pairs: Iterable[tuple[str, str]]) -> Options:
    """`--option name=value`, read by the type of each option; those alone. Raises `CommandError`."""
    known = {option.name: option for option in driver.options}
    given = {name: _value(known.get(name), text) for name, text in pairs}
    try:
        driver.settings(given)
    except ConfigError as error:
        raise CommandError(Exit.USAGE, f"--option: {error}") from None
    return given


def given_transcript(driver: Driver, text: str, source: str, options: Options) -> tuple[list[Timed], Options]:
    """What came from the device, and the transcript's options with `options` over them. Raises `CommandError`."""
    try:
        packets = transcript_packets(text, source)
        merged = {**transcript_options(text, source), **options}
        driver.settings(merged)
    except ConfigError as error:
        raise CommandError(Exit.BAD_INPUT, str(error)) from None
    return packets, merged


def _value(option: Option | None, text: str) -> OptionValue:
    if option is not None and isinstance(option.default, bool):
        return {"true": True, "false": False}.get(text, text)
    if option is None or isinstance(option.default, str):
        return text
    try:
        return int(text) if isinstance(option.default, int) else float(text)
    except ValueError:
        return text
