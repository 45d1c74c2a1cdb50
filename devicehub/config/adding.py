"""A device that was found to a table of the configuration file."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from devicehub.config.load import load_config
from devicehub.driver import BleLink, Driver, FileLink, Link
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.problems import ConfigProblems

_SUFFIX: Final = ".new"


def place_key(link: Link, place: str) -> str:
    """What the place of such a device is called in its table. A simulated or replayed one has a port, of any kind."""
    if place.startswith(("sim:", "replay:")):
        return "port"
    return "address" if isinstance(link, BleLink) else "folder" if isinstance(link, FileLink) else "port"


def add_device(file: Path, driver: Driver, place: str, name: str = "") -> str:
    """Append its table, unless the configuration would not be valid with it; gives its id, a free one if none is given.

    Raises `ConfigError`, and nothing has changed.
    """
    known = {device.id for device in load_config(file).device}
    name = name or _free(driver.name, known)
    key = place_key(driver.link, place)
    _append(file, f'\n[[device]]\nid = "{_plain(name)}"\ndriver = "{driver.name}"\n{key} = "{_plain(place)}"\n')
    return name


def _free(driver: str, known: set[str]) -> str:
    """The model with the first number that no device has."""
    stem = driver.partition(".")[2].replace("_", "-")
    return next(name for number in range(1, len(known) + 2) if (name := f"{stem}-{number}") not in known)


def _plain(text: str) -> str:
    """As a basic string of TOML holds it."""
    return re.sub(r'[\x00-\x1f\x7f"\\]', lambda match: f"\\u{ord(match[0]):04x}", text)


def _append(file: Path, table: str) -> None:
    """The whole file is written beside and takes the place of the old one only when it is valid."""
    fresh = file.with_name(file.name + _SUFFIX)
    try:
        text = file.read_text(encoding="utf-8")
        fresh.write_text(text + ("" if text.endswith("\n") else "\n") + table, encoding="utf-8")
        fresh.chmod(file.stat().st_mode & 0o777)
        load_config(fresh)
        fresh.replace(file)
    except ConfigProblems as error:
        raise ConfigProblems(replace(one, file=file) if one.file == fresh else one for one in error.problems) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be changed: {error.strerror or error}") from None
    finally:
        fresh.unlink(missing_ok=True)
