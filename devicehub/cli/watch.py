"""`devicehub watch`: what is published, as it comes."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from devicehub.app import broker_settings
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_line
from devicehub.config import load_config
from devicehub.log import escaped
from devicehub.publish.mqtt import Incoming, subscribe
from devicehub.publish.settings import BrokerSettings

EVERYTHING = ("devicehub/v1/#", "devicehub-sim/v1/#")


def run(args: argparse.Namespace) -> int:
    """Print messages until told to stop. 69 when the broker cannot be reached or goes away."""
    settings = _settings(args)
    filters = args.filter or EVERYTHING
    asyncio.run(watch(settings, filters, as_json=args.json, count=args.count, seconds=args.seconds))
    return Exit.OK


def _settings(args: argparse.Namespace) -> BrokerSettings:
    if args.broker is not None:
        return _named(args.broker)
    path = config_path(args)
    if args.config is None and not path.exists():
        return BrokerSettings(host="127.0.0.1")
    config = load_config(path)
    if not config.mqtt.url:
        raise CommandError(
            Exit.USAGE, f"{path} uses an embedded broker: give its address, which 'devicehub run' shows, as --broker"
        )
    return replace(broker_settings(config), identifier="")


def _named(text: str) -> BrokerSettings:
    try:
        url = urlsplit(text if "://" in text else f"mqtt://{text}")
        port = url.port or 1883
    except ValueError:
        raise CommandError(Exit.USAGE, f"--broker {text}: must be mqtt://host[:port]") from None
    if url.scheme != "mqtt" or not url.hostname:
        raise CommandError(Exit.USAGE, f"--broker {text}: must be mqtt://host[:port]; use --config for TLS")
    return BrokerSettings(host=url.hostname, port=port)


async def watch(
    settings: BrokerSettings,
    filters: Sequence[str],
    *,
    as_json: bool,
    count: int | None = None,
    seconds: float | None = None,
) -> None:
    """Print messages of `filters`, at most `count` and for at most `seconds`. Raises `DeliveryError`."""
    left = count
    limit = asyncio.timeout(seconds)
    try:
        async with limit, subscribe(settings, filters) as messages:
            async for message in messages:
                if as_json:
                    print_line(_json(message))
                else:
                    print(escaped(text(message)), flush=True)
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
