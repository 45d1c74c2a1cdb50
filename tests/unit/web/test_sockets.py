"""What the page's socket is told of a hub to which nothing happens: that it is there, and no more than is taken."""

import asyncio
import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from devicehub.clock import Clock
from devicehub.model.payload import RulesData
from devicehub.model.rulebook import RuleBook
from devicehub.preflight_page import printed
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from devicehub.taps import Taps
from devicehub.view import View
from devicehub.web.page import Page
from devicehub.web.sockets import news

TOPICS = Topics("bcp", "ws-1", exercise=True)
LOST = 3.0
"""Seconds without a word after which the page takes the hub to be gone: `LOST_MS` of `store.js`."""
MINUTE = 60.0


class Browser:
    """One end of a socket, which may be full: then nothing is taken until it is not."""

    def __init__(self) -> None:
        self.view = View()
        self.taken: list[tuple[float, list[object]]] = []
        self.offered = 0
        self.room = asyncio.Event()
        self.room.set()

    async def listens(self, seconds: float) -> None:
        """Listen for so long, then go away."""
        page = Page(
            view=self.view,
            taps=Taps(lambda: 0.0, "scanner".__eq__),
            topics=TOPICS,
            command=lambda _: None,
            state=Path(),
            port=0,
            clock=Clock(),
            rules=lambda: RuleBook(RulesData("sha256:00", 0), "", changeable=False, points=(), responses=()),
            remark=lambda *_: None,
            connected=lambda: True,
            printed=printed,
        )
        socket = WebSocket({"type": "websocket", "headers": [], "path": "/ws/news"}, self._says, self._hears)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news(page, socket)

    async def _says(self) -> Message:
        if not self.offered:
            return {"type": "websocket.connect"}
        await asyncio.Event().wait()
        raise AssertionError("it waits until it is cancelled")

    async def _hears(self, message: Message) -> None:
        if message["type"] != "websocket.send":
            return
        self.offered += 1
        await self.room.wait()
        self.taken.append((Clock().monotonic(), json.loads(message["text"])["messages"]))


def event(name: str) -> Outgoing:
    return Outgoing(
        f"{TOPICS.prefix}/event/{name}", b"{}", qos=1, retain=False, expiry=None, type="t", id="i", subject="s"
    )


async def test_a_hub_to_which_nothing_happens_says_every_second_that_it_is_there() -> None:
    one = Browser()
    await one.listens(MINUTE)
    times = [at for at, _ in one.taken]
    waits = [later - before for before, later in pairwise(times)]
    assert len(times) > 50
    assert max(waits) == pytest.approx(1.0)
    assert max(waits) * 2 < LOST, "one may be late"


async def test_no_heartbeats_pile_up_for_a_browser_that_takes_nothing_and_what_happened_meanwhile_is_told() -> None:
    one = Browser()
    one.room.clear()
    listening = asyncio.create_task(one.listens(2 * MINUTE))
    await Clock().sleep(MINUTE)
    assert one.offered == 1
    one.view.post(event("x"))
    one.room.set()
    await Clock().sleep(0.5)
    assert [told for _, told in one.taken] == [[], [["event/x", {}]]]
    listening.cancel()


async def test_what_comes_just_when_a_heartbeat_is_due_is_told_once() -> None:
    one = Browser()
    listening = asyncio.create_task(one.listens(MINUTE))
    for number in range(40):
        await Clock().sleep(0.9 if number % 2 else 0.1)
        one.view.post(event(str(number)))
    await Clock().sleep(2.0)
    listening.cancel()
    told = [message for _, messages in one.taken for message in messages]
    assert told == [[f"event/{number}", {}] for number in range(40)]
