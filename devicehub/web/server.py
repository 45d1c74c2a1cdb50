"""The server of the page, in the hub's own event loop, on loopback.

uvicorn must neither take the hub's signals nor wait for browsers that do not answer any more; without compression of
WebSockets, which multiplies the cost of images by four.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn

from devicehub.model.errors import ConfigError
from devicehub.web.access import Guard, token_file
from devicehub.web.page import Page
from devicehub.web.routes import application

LOOPBACK = "127.0.0.1"
ENDING = 0.25
SAID_MOST = 4096
READERS = 2


class Addresses(NamedTuple):
    """Where the page is, each with its token. `instructor`: empty where no exercise is played."""

    page: str
    instructor: str


class _Server(uvicorn.Server):
    """uvicorn without signals of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They belong to the hub."""
        yield


@asynccontextmanager
async def serving(page: Page) -> AsyncIterator[Addresses]:
    """The page, for as long as this is entered; gives its addresses.

    Raises `ConfigError` where its port is taken.
    """
    with _bound(page.port) as listening, ThreadPoolExecutor(READERS, thread_name_prefix="page") as disk:
        token = token_file(page.state, page.clock.token(16).hex())
        instructor = "" if page.training is None else page.clock.token(16).hex()
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # who opens and closes a page is nobody else's news
        config = uvicorn.Config(
            Guard(application(page, disk), token, instructor),
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=SAID_MOST,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            place = f"http://{LOOPBACK}:{listening.getsockname()[1]}/?token="
            yield Addresses(place + token, place + instructor if instructor else "")
        finally:
            await _ended(server, running)


async def _ended(server: uvicorn.Server, running: asyncio.Task[None]) -> None:
    """Every browser is told that this is the end; one that does not take it in `ENDING` seconds is hung up on.

    uvicorn's own limit has whole seconds alone, and calls it an error even where nobody was there.
    """
    server.should_exit = True
    await asyncio.wait([running], timeout=ENDING)
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if not running.done():
        running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigError(f"page.port = {port}: {error.strerror}; choose another or 0 for any free one") from None
        listening.listen()
        yield listening
