"""`devicehub devices add`: a device that was found to a table of the configuration file."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path, given_driver, given_folder
from devicehub.cli.output import note, print_json, say
from devicehub.config import ConfigProblems, load_config
from devicehub.driver import BleLink, FileLink, Link

_SUFFIX = ".new"


def run(args: argparse.Namespace) -> int:
    """Append the table, unless the configuration would not be valid with it. 78 then, and nothing has changed."""
    file = config_path(args)
    driver = given_driver(args.driver, given_folder(file))
    known = {device.id for device in load_config(file).device}
    name = args.id or _free(args.driver, known)
    key = _key(driver.link, args.place)
    table = f'\n[[device]]\nid = "{_plain(name)}"\ndriver = "{args.driver}"\n{key} = "{_plain(args.place)}"\n'
    _append(file, table)
    if args.json:
        print_json({"file": str(file), "id": name, "driver": args.driver, key: args.place})
    else:
        say(f"{file}: device {name} added")
        note(f"'devicehub devices show {name}' opens it; kill -HUP or a restart has the hub read the file again")
    return Exit.OK


def _key(link: Link, place: str) -> str:
    """What the place of such a device is called in its table. A simulated or replayed one has a port, of any kind."""
    if place.startswith(("sim:", "replay:")):
        return "port"
    return "address" if isinstance(link, BleLink) else "folder" if isinstance(link, FileLink) else "port"


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
    text = file.read_text(encoding="utf-8")
    fresh.write_text(text + ("" if text.endswith("\n") else "\n") + table, encoding="utf-8")
    try:
        fresh.chmod(file.stat().st_mode & 0o777)
        load_config(fresh)
        fresh.replace(file)
    except ConfigProblems as error:
        raise ConfigProblems(replace(one, file=file) if one.file == fresh else one for one in error.problems) from None
    finally:
        fresh.unlink(missing_ok=True)
