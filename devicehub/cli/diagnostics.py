"""`devicehub diagnostics`: what helps somebody elsewhere to find a fault, in one file, without what is secret.

Serial numbers, Bluetooth addresses, user names and secrets are left out wherever they stand. Events, images and the log
are no part of it: they may say what was scanned and who did what. Of what devices sent and was refused there is what
`devicehub.collect.refusals` keeps.
"""

import argparse
import json
import os
import platform
import zipfile
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from devicehub import __version__
from devicehub.cli.config_show import toml_lines
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_json, say
from devicehub.clock import Clock, clock_quality
from devicehub.collect.refusals import FILE as REFUSED
from devicehub.config import Config
from devicehub.disk import room
from devicehub.doctor.examine import examine
from devicehub.doctor.facts import Facts
from devicehub.doctor.gather import Senses, gather
from devicehub.journal.report import reading, report
from devicehub.model.errors import DeviceHubError
from devicehub.observe.listener import LOOPBACK

_PARTS = ("pyserial", "pyusb", "bleak", "aiomqtt", "numpy", "pydantic", "msgspec", "starlette", "uvicorn")
_JOURNAL, _METRICS = "journal.sqlite", "metrics-address"
_PERSONAL = frozenset({"serial", "address", "username"})
_SHORTEST = 3
HIDDEN = "<hidden>"


def run(args: argparse.Namespace) -> int:
    """Write the file; what is in it. It must not exist yet."""
    facts = gather(config_path(args), Path("/"), Senses(Clock(), clock_quality, room))
    secret = sorted(secrets(facts), key=len, reverse=True)
    parts = {name: without(text, secret) for name, text in contents(facts).items()}
    _write(args.out, parts)
    if args.json:
        print_json({"file": str(args.out), "parts": sorted(parts)})
    else:
        say(f"{args.out}: {', '.join(sorted(parts))}; look through it before you hand it on")
    return Exit.OK


def secrets(facts: Facts) -> set[str]:
    """What must not stand anywhere in it: serial numbers, addresses and names of accounts, as long as they are any."""
    found = {one.serial for one in facts.present}
    if facts.config is not None:
        found |= {one.serial for one in facts.config.device} | {one.address for one in facts.config.device}
        found.add(facts.config.mqtt.username)
    return {one for one in found if len(one) >= _SHORTEST}


def without(text: str, secret: Sequence[str]) -> str:
    """`text` without any of `secret`, the longest first; among bytes of a transcript there are zeros instead."""
    for one in secret:
        text = text.replace(one, HIDDEN)
        data = one.encode()
        text = text.replace(data.hex(" "), bytes(len(data)).hex(" "))
    return text


def contents(facts: Facts) -> dict[str, str]:
    """The parts by name, not yet without secrets."""
    found = {
        "about.json": _json(_about(facts)),
        "findings.json": _json([f"{one.level} {one.check} {one.subject}: {one.what}" for one in examine(facts)]),
        "present.json": _json([_without_serial(msgspec.to_builtins(one)) for one in facts.present]),
    }
    if facts.config is None:
        return found
    found["configuration.toml"] = _configuration(facts.config)
    state = facts.config.hub.state
    if (state / _JOURNAL).exists():
        found["journal.json"] = _journal(state / _JOURNAL)
    if (state / REFUSED).exists():
        found[REFUSED] = _refused(state / REFUSED)
    if (state / _METRICS).exists():
        found["metrics.txt"] = _metrics(state / _METRICS)
    return found


def _about(facts: Facts) -> dict[str, object]:
    return {
        "devicehub": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in _PARTS},
        "clock": msgspec.to_builtins(facts.clock),
        "disk": msgspec.to_builtins(facts.disk),
        "running": facts.running,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _without_serial(one: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in one.items() if key not in _PERSONAL}


def _configuration(config: Config) -> str:
    """As it is written; of secrets only where they are kept is known here."""
    values: dict[str, object] = config.model_dump(mode="python", exclude_unset=True, exclude_none=True)
    return "\n".join(toml_lines(values)) + "\n"


def _journal(path: Path) -> str:
    try:
        with reading(path) as db:
            return _json(msgspec.to_builtins(report(db)))
    except DeviceHubError as error:
        return _json({"unreadable": str(error)})


def _refused(path: Path) -> str:
    """The last bytes that made no sense, as the hub keeps them. Nobody but its user may read them."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        return f"# unreadable: {error.strerror}\n"


def _metrics(path: Path) -> str:
    """What the running hub answers; it is asked on this computer alone."""
    address = urlsplit(path.read_text(encoding="ascii").strip())
    asking = HTTPConnection(LOOPBACK, address.port, timeout=5)
    try:
        asking.request("GET", "/metrics")
        return asking.getresponse().read().decode()
    except (OSError, HTTPException) as error:
        return f"the hub did not answer: {error}\n"
    finally:
        asking.close()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _write(path: Path, parts: Mapping[str, str]) -> None:
    """Nobody else may read it. Raises `CommandError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(Exit.CANNOT_CREATE, f"{path} exists; it is left alone") from None
    except OSError as error:
        raise CommandError(Exit.CANNOT_CREATE, f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in parts.items():
            pack.writestr(f"devicehub/{name}", text)
