"""`devicehub devices identify`: a device that can shows itself; of any other it is said how to tell which it is."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.devices_list import where
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, say
from devicehub.cli.send import answered, given_topics, request_of
from devicehub.cli.watch import settings_of
from devicehub.clock import Clock
from devicehub.log import escaped
from devicehub.model.command import CommandState
from devicehub.model.payload import AnswerData, DescribeData
from devicehub.model.segment import SEGMENT
from devicehub.publish.mqtt import subscribe
from devicehub.publish.settings import BrokerSettings

DEADLINE: Final = 10.0
VERB: Final = "identify"


class _Described(Struct, frozen=True):
    data: DescribeData


def run(args: argparse.Namespace) -> int:
    """Ask the hub. 0 when it has answered, 1 when it refuses or the device does not obey, 69 when no hub answers."""
    if not SEGMENT.fullmatch(args.id):
        raise CommandError(Exit.USAGE, f"'{args.id}' is no device: its id is of a-z, 0-9 and -")
    answer, described = asyncio.run(_asked(args))
    marks = dict(_marks(args, described))
    if args.json:
        print_json({"device": args.id, "shown": _shows(answer), **marks})
        return Exit.OK
    say(escaped(f"{args.id}: {_said(answer, described)}"))
    for name, value in marks.items():
        say(escaped(f"  {name:8} {value}"))
    return Exit.OK


async def _asked(args: argparse.Namespace) -> tuple[AnswerData, DescribeData]:
    """The answer, and what the hub publishes of the device. Raises `CommandError`, `DeliveryError`."""
    topics, settings = given_topics(args), settings_of(args)
    told = [("device", json.dumps(args.id))]
    what = {"target": "hub", "verb": VERB, "args": told, "issuer": args.issuer, "reason": ""}
    request = request_of(argparse.Namespace(**what, deadline=DEADLINE), Clock().utc(), topics)
    answer = await answered(request, settings, topics, lambda _: None)
    if answer.state is not CommandState.DONE:
        raise CommandError(Exit.FAILURE, escaped(answer.why or answer.state.value))
    return answer, await _described(settings, f"{topics.prefix}/describe/{args.id}")


async def _described(settings: BrokerSettings, topic: str) -> DescribeData:
    """What the broker retains of it, which the hub has just published again."""
    try:
        async with asyncio.timeout(DEADLINE), subscribe(settings, [topic], qos=0) as messages:
            async for message in messages:
                if message.topic == topic and message.payload:
                    return msgspec.json.decode(message.payload, type=_Described).data
    except TimeoutError:
        raise CommandError(Exit.UNAVAILABLE, f"the broker has nothing of {topic}") from None
    except msgspec.MsgspecError:
        raise CommandError(Exit.BAD_INPUT, f"{topic} is not the description of a device") from None
    raise AssertionError("what an open connection tells does not end")


def _shows(answer: AnswerData) -> bool:
    return answer.result.get("shown") is True


def _said(answer: AnswerData, described: DescribeData) -> str:
    title = next((one.title for one in described.commands if one.verb == VERB), "")
    if _shows(answer):
        return f"it shows itself: {title}"
    if title:
        return f"it could show itself ({title}), but is not connected; tell it by"
    return "it cannot show itself; tell it by"


def _marks(args: argparse.Namespace, described: DescribeData) -> Iterator[tuple[str, str]]:
    """What tells it from others: of this computer's configuration where it is that hub's, and as the hub knows it."""
    yield "title", described.title
    yield "driver", described.driver
    if args.node is None:
        yield from (("where", where(one)) for one in given_config(args).device if one.id == args.id)
    serial = described.serial or described.facts.get("serial", "")
    found = {"usb": described.usb, "serial": serial, "address": described.address}
    yield from ((name, value) for name, value in found.items() if value)
