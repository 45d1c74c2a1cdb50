"""Finds the files of `config/`: beside the package in a checkout, inside it when installed."""

from pathlib import Path

from devicehub.model.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """A file or folder that ships with devicehub. Raises `ConfigError` when the installation is damaged."""
    for folder in (_PACKAGE / "_config", _PACKAGE.parent / "config"):
        if (folder / name).exists():
            return folder / name
    raise ConfigError(f"{name} is missing beside devicehub: the installation is damaged")
