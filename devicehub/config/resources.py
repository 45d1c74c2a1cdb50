"""Finds the files of `config/`: beside the package in a checkout, inside it when installed."""

import os
from pathlib import Path

from devicehub.model.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
NAME = "devicehub.toml"


def shipped(name: str) -> Path:
    """A file or folder that ships with devicehub. Raises `ConfigError` when the installation is damaged."""
    for folder in (_PACKAGE / "_config", _PACKAGE.parent / "config"):
        if (folder / name).exists():
            return folder / name
    raise ConfigError(f"{name} is missing beside devicehub: the installation is damaged")


def usual_config() -> Path:
    """Where the configuration is looked for when no file is named.

    `DEVICEHUB_CONFIG`, else `devicehub.toml` in the current folder, else in `/etc/devicehub`.
    """
    given = os.environ.get("DEVICEHUB_CONFIG")
    if given:
        return Path(given)
    here = Path(NAME)
    system = Path("/etc/devicehub") / NAME
    return system if system.exists() and not here.exists() else here
