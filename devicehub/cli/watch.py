"""`devicehub watch`: what is published, as it comes."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import config_path
from devicehub.cli.marked import sgr
from devicehub.cli.output import painted, say
from devicehub.cli.usual import usual_config
from devicehub.config import load_config
from devicehub.config.broker import broker_settings
from devicehub.log import escaped
from devicehub.publish.mqtt import Incoming, subscribe
from devicehub.publish.settings import BrokerSettings

LONGEST = 65535
EVERYTHING = ("devicehub/v1/#", "devicehub-sim/v1/#")


def run(args: argparse.Namespace) -> int:
    """Print messages until told to stop. 69 when the broker cannot be reached or goes away."""
    filters = [checked(one) for one in args.filter]
    settings = settings_of(args)
    logging.getLogger("mqtt").addFilter(_not_told_anyway)
    shown = Shown(as_json=args.json, every_alarm=bool(args.filter))
    asyncio.run(watch(settings, filters or EVERYTHING, shown, count=args.count, seconds=args.seconds))
    return Exit.OK


def _not_told_anyway(record: logging.LogRecord) -> bool:
    """Paho reports a broken connection, which ends the command with a line of its own."""
    return not record.getMessage().startswith("failed to receive on socket")


def checked(text: str) -> str:
    """`text` if it is a topic filter, MQTT 5.0 section 4.7. Raises `CommandError`."""
    *before, last = text.split("/")
    levels = [*before, "" if last == "#" else last]
    wrong = any("#" in level or ("+" in level and level != "+") for level in levels)
    if not text or wrong or "\0" in text or len(text.encode(errors="replace")) > LONGEST:
        words = "+ stands for one whole level and # for the rest, at the end, as in devicehub/v1/+/+/event/#"
        raise CommandError(Exit.USAGE, f"'{escaped(text[:60])}' is not a topic filter: {words}")
    return text


def settings_of(args: argparse.Namespace) -> BrokerSettings:
    """The broker that is meant by `--broker`, `--config` or nothing. Raises `CommandError`, `ConfigError`."""
    if args.broker is not None:
        return _named(args.broker)
    if args.config is None and not usual_config().exists():
        return BrokerSettings(host="127.0.0.1")
    path = config_path(args)
    config = load_config(path)
    if not config.mqtt.url:
        return embedded(config.hub.state, f"{path} uses an embedded broker")
    return replace(broker_settings(config), identifier="")


def embedded(state: Path, what: str) -> BrokerSettings:
    """The embedded broker of the hub that runs with that state folder, as it wrote down itself.

    `what`: how it is told that none does. Raises `CommandError`.
    """
    try:
        with (state / "broker" / "address").open(encoding="ascii", errors="replace") as stream:
            text = stream.read(100).strip()
    except FileNotFoundError:
        text = ""
    if not text:
        words = "no hub runs with it, or give the address that 'devicehub run' shows as --broker"
        raise CommandError(Exit.UNAVAILABLE, f"{what}: {words}")
    return _named(text)


def _named(text: str) -> BrokerSettings:
    url = urlsplit(text if "://" in text else f"mqtt://{text}")
    if "@" in url.netloc:
        raise CommandError(Exit.USAGE, "--broker takes no user name and password: use --config with mqtt.password")
    try:
        port = url.port or 1883
    except ValueError:
        raise CommandError(Exit.USAGE, f"--broker {text}: must be mqtt://host[:port]") from None
    if url.scheme != "mqtt" or not url.hostname:
        raise CommandError(Exit.USAGE, f"--broker {text}: must be mqtt://host[:port]; use --config for TLS")
    return BrokerSettings(host=url.hostname, port=port)


@dataclass(frozen=True, slots=True)
class Shown:
    """How messages are shown, and whether those of `alarm` are that come while one watches.

    Each of them repeats an `event`. What was retained at the start does not. Summaries of images come many times a
    second and are left out likewise.
    """

    as_json: bool = False
    every_alarm: bool = False

    def line(self, message: Incoming) -> str:
        """One line, or nothing."""
        if self.as_json:
            return json.dumps(_json(message), ensure_ascii=False, separators=(",", ":"))
        if not self.every_alarm and not message.retain and _kind(message.topic) in {"alarm", "frame"}:
            return ""
        return painted(clipped(escaped(text(message))), _sgr(message))


def _kind(topic: str) -> str:
    return next(iter(topic.split("/")[4:5]), "")


def clipped(line: str) -> str:
    """What fits into a line of the terminal; everything elsewhere."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 1] + "…"


async def watch(
    settings: BrokerSettings,
    filters: Sequence[str],
    shown: Shown,
    *,
    count: int | None = None,
    seconds: float | None = None,
) -> None:
    """Print messages of `filters`, at most `count` and for at most `seconds`. Raises `DeliveryError`."""
    left = count
    limit = asyncio.timeout(seconds)
    try:
        async with limit, subscribe(settings, filters) as messages:
            async for message in messages:
                line = shown.line(message)
                if not line:
                    continue
                say(line)
                left = None if left is None else left - 1
                if left == 0:
                    return
    except TimeoutError:
        if not limit.expired():
            raise


def _payload(message: Incoming) -> object:
    try:
        value: object = json.loads(message.payload) if message.payload else None
    except ValueError:
        return message.payload.decode(errors="replace")
    return value


def _sgr(message: Incoming) -> str:
    envelope = _payload(message)
    return sgr(envelope) if isinstance(envelope, dict) else ""


def _json(message: Incoming) -> dict[str, object]:
    return {"topic": message.topic, "retain": message.retain, "payload": _payload(message)}


def text(message: Incoming) -> str:
    """One line: time, what kind, subject, and the figures that a person looks for."""
    envelope = _payload(message)
    if not isinstance(envelope, dict):
        return f"{message.topic}  {'deleted' if envelope is None else envelope}"
    time = str(envelope.get("time", ""))[11:23]
    kind = str(envelope.get("type", message.topic)).removeprefix("io.devicehub.")
    return f"{time:12}  {kind:14}  {envelope.get('subject', ''):24}  {_figures(envelope.get('data'))}".rstrip()


def _figures(data: object) -> str:
    if isinstance(data, dict) and "value" in data and "unit" in data:
        return " ".join(
            str(data[name]) for name in ("value", "unit", "quality", "cause", "label", "state") if name in data
        )
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
