"""`devicehub mqtt clean`: takes away what a hub that is gone for good left retained at its broker."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json, say
from devicehub.cli.send import given_topics
from devicehub.cli.watch import settings_of
from devicehub.publish.envelope import stored_status
from devicehub.publish.mqtt import Incoming, connect, subscribe
from devicehub.publish.port import Outgoing
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

QUIET: Final = 1.0
"""Seconds without another message: what a broker retains it gives at once."""


def run(args: argparse.Namespace) -> int:
    """Delete what is retained below a hub's topics, and name it; with `--dry-run` name it alone.

    75 while that hub runs, which would only say it again.
    """
    found = asyncio.run(cleaned(settings_of(args), given_topics(args), dry_run=args.dry_run))
    if args.json:
        print_json({"removed": not args.dry_run, "topics": found})
    else:
        for topic in found:
            say(f"{'is retained' if args.dry_run else 'removed'}: {topic}")
        if not found:
            say("nothing is retained")
    return Exit.OK


async def cleaned(settings: BrokerSettings, topics: Topics, *, dry_run: bool) -> list[str]:
    """The topics, in their order. Raises `DeliveryError`, and `CommandError` where the hub says that it is online."""
    async with subscribe(settings, [f"{topics.prefix}/#"], qos=0) as messages:
        found = await _retained(messages, topics)
    if not dry_run:
        _gone(found.get(topics.status, b""), topics)
        async with connect(settings) as publisher:
            await asyncio.gather(*(publisher.submit(_nothing(topic)) for topic in found))
    return sorted(found)


async def _retained(messages: AsyncIterator[Incoming], topics: Topics) -> dict[str, bytes]:
    """What comes as retained until nothing more does. Raises `DeliveryError`.

    What else comes is passed over: the development broker gives more of what it retains than was asked for.
    """
    found: dict[str, bytes] = {}
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(QUIET)
    try:
        async with limit:
            async for message in messages:
                if message.retain and message.payload and message.topic.startswith(f"{topics.prefix}/"):
                    found[message.topic] = message.payload
                    limit.reschedule(loop.time() + QUIET)
    except TimeoutError:
        if not limit.expired():
            raise
    return found


def _gone(status: bytes, topics: Topics) -> None:
    """Raises `CommandError` for the status of a hub that runs."""
    try:
        state = stored_status(status).state
    except msgspec.MsgspecError:
        return
    if state == "online":
        raise CommandError(Exit.RETRY, f"the hub {topics.prefix} is online and would say all of it again: end it first")


def _nothing(topic: str) -> Outgoing:
    return Outgoing(topic, b"", qos=1, retain=True, expiry=None, type="", id="", subject="")
