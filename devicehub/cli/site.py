"""The drivers of this site: those that ship, and its own device files."""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from devicehub.cli.output import note
from devicehub.cli.usual import usual_config
from devicehub.driver import Driver
from devicehub.model.errors import ConfigError
from devicehub.registry import device_files, driver_names, load_driver


def site_folder(args: argparse.Namespace) -> Path | None:
    """Where the configuration has its own device files, None without one. Raises `ConfigProblems`, `CommandError`.

    Nothing else of the configuration is looked at, so that it may be wrong or not written yet.
    """
    path: Path = args.config or usual_config()
    if args.config is None and not path.is_file():
        return None
    given = importlib.import_module("devicehub.cli.given")  # most have no configuration to read yet
    return cast(Path | None, given.given_folder(path))


def fitting_drivers(args: argparse.Namespace) -> list[Driver]:
    """All drivers; what is wrong with one of the site's own is told, and it is left out."""
    return list(_loaded(site_folder(args)))


def _loaded(folder: Path | None) -> Iterator[Driver]:
    try:
        device_files(folder)
    except ConfigError as error:
        note(f"devicehub: {error}; the site's own device files are left out")
        folder = None
    for name in driver_names(folder):
        try:
            yield load_driver(name, folder)
        except ConfigError as error:
            note(f"devicehub: {error}; driver {name} is left out")
