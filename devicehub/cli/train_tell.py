"""`devicehub train pause`, `resume`, `speed`, `inject` and `end`: what an instructor has a running exercise do."""

import argparse
import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.send import sent
from devicehub.cli.watch import embedded
from devicehub.exercise.load import SITE
from devicehub.publish.mqtt import subscribe
from devicehub.publish.port import Incoming
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

HEARD_WITHIN: Final = 45.0
DEADLINE: Final = 30.0


class _Timed(Struct):
    time: str


def run(args: argparse.Namespace) -> int:
    """Have it done; one line says how it ended. Exit codes as those of `devicehub send`."""
    state: Path = args.state
    return asyncio.run(_told(args, embedded(state, str(state))))


async def _told(args: argparse.Namespace, settings: BrokerSettings) -> Exit:
    topics, now = await _heard(settings)
    what = {"target": "hub", "verb": f"exercise-{args.verb}", "args": _given(args), "issuer": args.issuer, "reason": ""}
    how = {"deadline": DEADLINE, "json": args.json, "brief": True}
    return await sent(argparse.Namespace(**what, **how), settings, topics, now)


async def _heard(settings: BrokerSettings) -> tuple[Topics, float]:
    """Which hub it is, and what its clock says: an exercise has a pace of its own, and may set its clock."""
    place = f"devicehub-sim/v1/{SITE}/+"
    filters = [f"{place}/health", *(f"{place}/{kind}/#" for kind in ("reading", "state", "frame"))]
    try:
        async with asyncio.timeout(HEARD_WITHIN), subscribe(settings, filters) as messages:
            async for message in messages:
                if not message.retain and message.payload:
                    return _place(message)
    except TimeoutError:
        pass
    raise CommandError(Exit.UNAVAILABLE, f"nothing is heard of an exercise at {settings.host}:{settings.port}")


def _place(message: Incoming) -> tuple[Topics, float]:
    node = message.topic.split("/")[3]
    at = datetime.fromisoformat(msgspec.json.decode(message.payload, type=_Timed).time).timestamp()
    return Topics(SITE, node, exercise=True), at


def _given(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Arguments of the command, as JSON."""
    if args.verb == "speed":
        return [("speed", json.dumps(args.speed))]
    if args.verb != "inject":
        return []
    values = json.dumps(dict(map(_value, args.values)))
    given = {"do": args.do, "device": args.device or "", "values": values, "seconds": args.seconds or 0.0}
    return [(name, json.dumps(value)) for name, value in given.items()]


def _value(pair: tuple[str, str]) -> tuple[str, object]:
    """As JSON where it is, else as the text that it is."""
    name, text = pair
    try:
        return name, json.loads(text)
    except json.JSONDecodeError:
        return name, text
