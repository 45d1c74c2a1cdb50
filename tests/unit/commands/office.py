"""A desk with verbs of a test's own, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from devicehub.clock import Clock
from devicehub.commands.desk import Desk, Surroundings
from devicehub.commands.judging import Scene
from devicehub.commands.request import Request
from devicehub.commands.verbs import CommandError, Result, Verbs
from devicehub.driver import Command, Options
from devicehub.model.command import CommandState
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnswerData, CommandEventData
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics, stream_of

EPOCH = 1_795_500_000.0
TOPICS = Topics("bcp", "ws-1", exercise=False)
ENCODER = Encoder("bcp", "ws-1", boot="b", exercise=False)


class Office:
    """A desk with verbs of a test's own. `open_`: whether the disk takes records; answers overtake them, as in a hub."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.clock = Clock(utc=lambda: EPOCH + loop.time(), seed=1)
        self.said: list[tuple[float, Message]] = []
        self.remarks: list[tuple[str, str]] = []
        self.begun: list[str] = []
        self.synchronised: bool | None = None
        self.open_ = asyncio.Event()
        self.open_.set()
        verbs = Verbs()
        for verb, act in (("work", self._work), ("break", self._break), ("refuse", self._refuse)):
            verbs.add(Command(verb=verb, title=verb, timeout=5.0), act)
        around = Surroundings(
            topics=TOPICS,
            scene=Scene(verbs, lambda _: None),
            accept=self._accept,
            remark=lambda what, why: self.remarks.append((what, why)),
            ids=self.clock.ulid,
            synchronised=lambda: self.synchronised,
        )
        self.desk = Desk(around, self.clock)
        self.seconds = 1.0

    async def _accept(self, messages: Sequence[Message]) -> None:
        for message in sorted(messages, key=lambda one: stream_of(one) is not Stream.ALARMS):
            if stream_of(message) is not Stream.ALARMS:
                await self.open_.wait()
            self.said.append((self.clock.monotonic(), message))

    async def _work(self, args: Options, request: Request) -> Result:
        self.begun.append(request.id)
        await self.clock.sleep(self.seconds)
        return {"worked": self.seconds}

    async def _break(self, args: Options, request: Request) -> Result:
        raise ZeroDivisionError("a bug")

    async def _refuse(self, args: Options, request: Request) -> Result:
        raise CommandError("not today", CommandState.REJECTED)

    def take(self, verb: str, name: str, seconds: float = 10.0) -> None:
        body = {"id": name, "issuer": "op", "deadline": instant(self.clock.utc() + seconds)}
        self.desk.take(Incoming(f"{TOPICS.prefix}/cmd/hub/{verb}", json.dumps(body).encode(), retain=False))

    def records(self) -> list[bytes]:
        """The audit records, as they are in the journal."""
        return [ENCODER.encode(message) for _, message in self.said if isinstance(message.data, CommandEventData)]

    def states(self, name: str) -> list[tuple[float, str, str]]:
        """When what was answered to a command."""
        answers = [(at, message.data) for at, message in self.said if message.kind is Kind.RES]
        return [
            (at, str(data.state), data.why)
            for at, data in answers
            if isinstance(data, AnswerData) and data.command == name
        ]


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    here = Office()
    running = asyncio.create_task(here.desk.run())
    yield here
    here.desk.close()
    await running
