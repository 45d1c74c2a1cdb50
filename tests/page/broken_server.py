"""A hub whose page is broken on purpose, as a program: `python -m tests.page.broken_server HOW WORDS...`.

`waits`: an alarm is accepted once every browser has taken its image. `hoards`: what a browser does not take is kept for it.
"""

import asyncio
import sys

from starlette.websockets import WebSocket

from devicehub.cli.main import main
from devicehub.core import Outcome
from devicehub.process import Sinks


def waits() -> None:
    """One lock for what is sent to browsers and what is accepted."""
    sent, accepted, turn = WebSocket.send_bytes, Sinks.accept, asyncio.Lock()

    async def send(self: WebSocket, data: bytes) -> None:
        async with turn:
            await sent(self, data)

    async def accept(self: Sinks, outcome: Outcome) -> None:
        async with turn:
            await accepted(self, outcome)

    WebSocket.send_bytes = send  # type: ignore[assignment, method-assign]
    Sinks.accept = accept  # type: ignore[method-assign]


def hoards() -> None:
    """Nobody waits for what was sent."""
    sent, under_way = WebSocket.send_bytes, set[asyncio.Task[None]]()

    async def send(self: WebSocket, data: bytes) -> None:
        under_way.add(asyncio.ensure_future(sent(self, data)))

    WebSocket.send_bytes = send  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"waits": waits, "hoards": hoards}[sys.argv.pop(1)]()
    sys.exit(main())
