"""`devicehub send`: one command to a device or to the hub, and its answers until it has ended."""

import argparse
import asyncio
import getpass
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from math import ceil
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_line, say
from devicehub.cli.usual import usual_config
from devicehub.cli.watch import settings_of
from devicehub.clock import Clock
from devicehub.commands.request import FURTHEST, LIMIT
from devicehub.log import escaped
from devicehub.model.command import CommandState
from devicehub.model.instant import instant
from devicehub.model.payload import AnswerData
from devicehub.model.segment import SEGMENT
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Incoming, Outgoing
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

FIRST_WORD: Final = 5.0
PATIENCE: Final = 75.0
_CODES: Final[Mapping[CommandState, Exit]] = {
    CommandState.DONE: Exit.OK,
    CommandState.REJECTED: Exit.FAILURE,
    CommandState.FAILED: Exit.FAILURE,
    CommandState.TIMEOUT: Exit.RETRY,
}
_NODE: Final = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,64}")


class _Answer(Struct, frozen=True):
    data: AnswerData


def run(args: argparse.Namespace) -> int:
    """Send it and print what becomes of it. 0 done, 1 rejected or failed, 75 timeout, 69 when nobody answers.

    `args.brief`, where it is given: print how it ended alone.
    """
    for name in (args.target, args.verb):
        if not SEGMENT.fullmatch(name):
            raise CommandError(Exit.USAGE, f"'{name}' is no target or verb: both are of a-z, 0-9 and -")
    if args.deadline > FURTHEST:
        raise CommandError(Exit.USAGE, f"--deadline {args.deadline:g}: at most {FURTHEST:g} s")
    topics = given_topics(args)
    request = request_of(args, Clock().utc(), topics)
    return _CODES[asyncio.run(_answered(request, settings_of(args), topics, args))]


async def sent(args: argparse.Namespace, settings: BrokerSettings, topics: Topics, now: float) -> Exit:
    """Send it to the hub of `topics`, whose clock says `now`; the exit code. Raises as `run` does, `DeliveryError`."""
    return _CODES[await _answered(request_of(args, now, topics), settings, topics, args)]


def given_topics(args: argparse.Namespace) -> Topics:
    """Of the hub that is meant. Raises `CommandError`, `ConfigError`."""
    if args.node is None and args.broker is not None and args.config is None and not usual_config().exists():
        which = "say which hub with --node SITE/NODE, and --exercise for one that runs an exercise"
        raise CommandError(Exit.USAGE, f"--broker without a configuration: {which}")
    if args.node is None:
        hub = given_config(args).hub
        return Topics(hub.site, hub.node, exercise=hub.exercise)
    if not _NODE.fullmatch(args.node):
        raise CommandError(Exit.USAGE, f"--node {args.node}: must be SITE/NODE, both of a-z, 0-9 and -")
    site, node = args.node.split("/")
    return Topics(site, node, exercise=args.exercise)


def request_of(args: argparse.Namespace, now: float, topics: Topics) -> Outgoing:
    """The command with a fresh id, as it is published. `now`: UTC seconds. Raises `CommandError`."""
    name = Clock().ulid()
    body = {
        "id": name,
        "issuer": args.issuer or _user(),
        "deadline": instant(now + args.deadline),
        "args": _values(args.args),
        "reason": args.reason,
    }
    payload = msgspec.json.encode(body)
    if len(payload) > LIMIT:
        raise CommandError(Exit.USAGE, f"a command of {len(payload)} bytes is too long: at most {LIMIT}")
    return Outgoing(
        topic=f"{topics.prefix}/cmd/{args.target}/{args.verb}",
        payload=payload,
        qos=1,
        retain=False,
        expiry=ceil(args.deadline),
        type="io.devicehub.command",
        id=name,
        subject=f"{args.target}/{args.verb}",
        correlation=name.encode(),
    )


def _user() -> str:
    """Who uses this computer. Raises `CommandError` where nobody can tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise CommandError(Exit.USAGE, "this user has no name: give one with --issuer") from None


def _values(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Each value as JSON where it is, else as the text that it is."""
    found: dict[str, object] = {}
    for name, text in pairs:
        if name in found:
            raise CommandError(Exit.USAGE, f"argument {name} is given twice")
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found


async def _answered(
    request: Outgoing, settings: BrokerSettings, topics: Topics, args: argparse.Namespace
) -> CommandState:
    """The state that it ends with; each that comes is printed. Raises as `answered`."""

    def show(data: AnswerData) -> None:
        if data.state is not CommandState.ACCEPTED or not getattr(args, "brief", False):
            _show(data, as_json=args.json)

    return (await answered(request, settings, topics, show)).state


async def answered(
    request: Outgoing, settings: BrokerSettings, topics: Topics, told: Callable[[AnswerData], None]
) -> AnswerData:
    """What it ends with; `told` is given each answer. Raises `DeliveryError`, `CommandError` when no hub answers."""
    patience, loop = (request.expiry or 0) + FIRST_WORD, asyncio.get_running_loop()
    async with connect(settings) as publisher:
        await publisher.subscribe([f"{topics.prefix}/res/{request.subject}"])
        await publisher.submit(request)
        try:
            async with asyncio.timeout(patience) as limit:
                async for data in _answers(publisher.incoming(), request.id):
                    limit.reschedule(loop.time() + PATIENCE)
                    told(data)
                    if data.state is not CommandState.ACCEPTED:
                        return data
        except TimeoutError:
            said = f"{topics.prefix} did not answer in {patience:.0f} s: is it there, or does it run an exercise?"
            raise CommandError(Exit.UNAVAILABLE, said) from None
    raise AssertionError("the answers of an open connection do not end")


async def _answers(messages: AsyncIterator[Incoming], name: str) -> AsyncIterator[AnswerData]:
    """Those to our command; others may send the same verb, and what is no answer is passed over."""
    async for message in messages:
        try:
            data = msgspec.json.decode(message.payload, type=_Answer).data
        except msgspec.MsgspecError:
            continue
        if data.command == name:
            yield data


def _show(data: AnswerData, *, as_json: bool) -> None:
    if as_json:
        print_line(msgspec.to_builtins(data))
        return
    result = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in data.result.items())
    say(escaped("  ".join(part for part in (data.state.value, data.why, result) if part)))
