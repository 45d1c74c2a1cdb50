"""`devicehub preflight`: the running hub looks at what its desks need before a shift; a page per desk."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import new_file, print_line, say
from devicehub.cli.send import given_topics, request_of
from devicehub.cli.watch import settings_of
from devicehub.clock import Clock
from devicehub.core.preflights import BEGUN, ENDED
from devicehub.exercise.tongue import Tongue, tongue
from devicehub.log import escaped
from devicehub.model.command import CommandState
from devicehub.model.instant import seconds_between
from devicehub.model.payload import AnswerData, InfoData, PreflightData
from devicehub.model.preflight import CheckKind, PreflightOutcome
from devicehub.preflight_page import desk_name, html, lines
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Incoming, Outgoing, Publisher
from devicehub.publish.topics import Topics

PATIENCE: Final = 10.0
VERB: Final = "preflight"
_REST: Final = ""
"""The devices that belong to no desk."""


class _Info(Struct, frozen=True):
    data: InfoData


class _Answer(Struct, frozen=True):
    data: AnswerData


class _Event(Struct, frozen=True):
    data: PreflightData


def run(args: argparse.Namespace) -> int:
    """Print what came of each check, and write the pages. 0 only if all that was looked at was passed, else 1.

    69 when no hub answers, 73 before anything is asked where a page of `--pages` is there already.
    """
    topics = given_topics(args)
    found = asyncio.run(_looked(args, topics))
    return Exit.OK if all(one.outcome is PreflightOutcome.PASSED for one in found) else Exit.FAILURE


async def _looked(args: argparse.Namespace, topics: Topics) -> list[PreflightData]:
    """Each desk in turn. Raises `DeliveryError`, and `CommandError` where a hub does not answer, or refuses."""
    words = tongue(args.language)
    async with connect(settings_of(args)) as publisher:
        link = _Link(publisher, topics)
        info = await link.info()
        desks = args.desks or [*_desks(info)]
        pages = _pages(args.pages, desks)
        found: list[PreflightData] = []
        for desk, page in zip(desks, pages, strict=True):
            request = request_of(_request(args, desk), Clock().utc(), topics)
            ended = await _followed(link, request, words, as_json=args.json)
            found.append(ended)
            if page is not None:
                _write(page, ended, topics, words)
    return found


def _request(args: argparse.Namespace, desk: str) -> argparse.Namespace:
    given = [("desk", f'"{desk}"')] if desk else []
    told = [*given, ("samples", "false" if args.no_samples else "true")]
    what = {"target": "hub", "verb": VERB, "args": told, "issuer": args.issuer, "reason": ""}
    return argparse.Namespace(**what, deadline=PATIENCE)


def _desks(info: InfoData) -> Iterator[str]:
    """All there are, and what belongs to none. Raises `CommandError` where there is nothing to look at."""
    if not info.devices:
        raise CommandError(Exit.FAILURE, "the hub has no device to look at")
    yield from (one.desk for one in info.desks)
    seated = {device for one in info.desks for device in one.devices}
    if set(info.devices) - seated:
        yield _REST


def _pages(folder: Path | None, desks: Sequence[str]) -> list[Path | None]:
    """Where each desk's page goes. Raises `CommandError` for one that is there: nothing is overwritten."""
    if folder is None:
        return [None] * len(desks)
    folder.mkdir(parents=True, exist_ok=True)
    pages = [folder / f"preflight-{desk}.html" if desk else folder / "preflight.html" for desk in desks]
    for page in pages:
        if page.exists():
            raise CommandError(Exit.CANNOT_CREATE, f"{page} exists; it is left alone")
    return [*pages]


def _write(page: Path, data: PreflightData, topics: Topics, words: Tongue) -> None:
    root, _, site, node = topics.prefix.split("/")
    with new_file(page) as stream:
        stream.write(html(data, f"{site}/{node}", words, exercise=root.endswith("-sim")))


async def _followed(link: "_Link", request: Outgoing, words: Tongue, *, as_json: bool) -> PreflightData:
    """From the command to its end; what is to be shown is said as soon as it is awaited."""
    patience = PATIENCE
    await link.publisher.submit(request)
    try:
        async with asyncio.timeout(patience) as limit:
            async for data in link.told(request.id):
                if as_json:
                    print_line(msgspec.to_builtins(data))
                if data.outcome is not None:
                    for line in () if as_json else lines(data, words):
                        say(line)
                    return data
                wait = seconds_between(data.began, data.until)
                limit.reschedule(asyncio.get_running_loop().time() + wait + patience)
                for line in () if as_json else _awaited(data, wait, words):
                    say(line)
    except TimeoutError:
        said = f"{link.topics.prefix} did not answer in time: is it there, or does it run an exercise?"
        raise CommandError(Exit.UNAVAILABLE, said) from None
    raise AssertionError("what an open connection tells does not end")


def _awaited(data: PreflightData, wait: float, words: Tongue) -> Iterator[str]:
    samples = {one.device: one.subject for one in data.checks if one.check is CheckKind.SAMPLE}
    time = words.t("seconds", n=f"{wait:g}")
    for device in data.awaited:
        said = words.t("preflight.show", time=time, sample=samples.get(device, "?"), device=device)
        yield escaped(f"{desk_name(data, words)}: {said}")


class _Link:
    """What a hub says of preflights over one connection."""

    def __init__(self, publisher: Publisher, topics: Topics) -> None:
        self.publisher = publisher
        self.topics = topics
        self._info = f"{topics.prefix}/info"
        self._answers = f"{topics.prefix}/res/hub/{VERB}"
        self._events = {f"{topics.prefix}/event/{word.replace('.', '-')}" for word in (BEGUN, ENDED)}

    async def info(self) -> InfoData:
        """What runs there. Raises `CommandError` where no hub has ever said so, `DeliveryError`."""
        await self.publisher.subscribe([self._info, self._answers, *self._events])
        try:
            async with asyncio.timeout(PATIENCE):
                async for message in self.publisher.incoming():
                    if message.topic == self._info and message.payload:
                        return msgspec.json.decode(message.payload, type=_Info).data
        except TimeoutError:
            raise CommandError(Exit.UNAVAILABLE, f"the broker knows of no hub {self.topics.prefix}") from None
        except msgspec.MsgspecError:
            raise CommandError(Exit.BAD_INPUT, f"{self._info} is not what a hub says of itself") from None
        raise AssertionError("what an open connection tells does not end")

    async def told(self, command: str) -> AsyncIterator[PreflightData]:
        """What is told of the one that a command began. Raises `CommandError` where the hub refuses it."""
        async for message in self.publisher.incoming():
            if message.topic == self._answers:
                _accepted(message, command)
            elif message.topic in self._events:
                data = _decoded(message)
                if data is not None and data.command == command:
                    yield data


def _decoded(message: Incoming) -> PreflightData | None:
    try:
        return msgspec.json.decode(message.payload, type=_Event).data
    except msgspec.MsgspecError:
        return None


def _accepted(message: Incoming, command: str) -> None:
    """Raises `CommandError` for an answer to our command that says that it was not done."""
    try:
        data = msgspec.json.decode(message.payload, type=_Answer).data
    except msgspec.MsgspecError:
        return
    if data.command == command and data.state not in {CommandState.ACCEPTED, CommandState.DONE}:
        raise CommandError(Exit.FAILURE, escaped(data.why or data.state.value))
