"""What the page is told as it comes: messages, images, what passes over a link."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Final

import msgspec
from msgspec import structs
from starlette.websockets import WebSocket, WebSocketDisconnect

from devicehub.publish.port import Outgoing
from devicehub.taps import Listener, Passed
from devicehub.view import News, Watcher
from devicehub.web.page import Page
from devicehub.web.pictures import packed
from devicehub.web.training import hidden, is_instructor

PAUSE: Final = 0.1
QUIET: Final = 0.9
"""Seconds without news after which the page is told that there are none. With `PAUSE`: once a second at least."""
FASTEST: Final = 25.0


async def news(page: Page, socket: WebSocket) -> None:
    """First everything that is retained and the newest readings, then what comes, at most ten times a second.

    At least once a second there is a message, with no messages in it where nothing came: the page takes a hub that says
    nothing for 3 s to be gone. The next one is made when the last one was taken, so that none pile up.

    A text message is `{"prefix", "missed", "connected", "messages": [[topic, payload], ...]}`; a payload of null
    deletes. `connected`: the hub to its broker.
    """
    await socket.accept()
    with page.view.watched() as (latest, watcher):
        known = [*latest, *page.view.readings()]
        await _while_connected(socket, _telling(page, socket, known, partial(_fit, page, socket, watcher)))


async def _fit(page: Page, socket: WebSocket, watcher: Watcher) -> News:
    """What is new and may be seen."""
    found, training = await watcher.news(), page.training
    if training is None or is_instructor(socket):
        return found
    return structs.replace(found, messages=[out for out in found.messages if not hidden(out, training.verbs)])


async def _telling(page: Page, socket: WebSocket, latest: list[Outgoing], news: Callable[[], Awaitable[News]]) -> None:
    await socket.send_text(_text(page, latest, 0))
    while True:
        found = await _soon(news)
        await socket.send_text(_text(page, found.messages, found.missed))
        await page.clock.sleep(PAUSE)


async def _soon(news: Callable[[], Awaitable[News]]) -> News:
    """What is new, or before long that nothing is."""
    try:
        async with asyncio.timeout(QUIET):
            return await news()
    except TimeoutError:
        return News([], 0)


def _text(page: Page, messages: list[Outgoing], missed: int) -> str:
    prefix = page.topics.prefix
    told = [(out.topic.removeprefix(f"{prefix}/"), msgspec.Raw(out.payload or b"null")) for out in messages]
    news = {"prefix": prefix, "missed": missed, "connected": page.connected(), "messages": told}
    return msgspec.json.encode(news).decode()


async def images(page: Page, socket: WebSocket) -> None:
    """The images of one device, the newest each time, as many a second as asked for by `?rate=`."""
    try:
        rate = min(FASTEST, max(0.1, float(socket.query_params.get("rate", "12"))))
    except ValueError:
        rate = 1.0
    await socket.accept()
    device = socket.path_params["device"]
    with page.view.looked(device) as came:
        await _while_connected(socket, _showing(page, socket, device, came, 1 / rate))


async def raw(page: Page, socket: WebSocket) -> None:
    """What passes over the link of one device from now on, at most ten times a second.

    A text message is `{"hidden", "missed", "lines": [{"at", "sign", "text", "size"}, ...]}`; the first has no lines.
    """
    await socket.accept()
    device = socket.path_params["device"]
    with page.taps.listening(device) as listener:
        await _while_connected(socket, _passing(page, socket, device, listener))


async def _passing(page: Page, socket: WebSocket, device: str, listener: Listener) -> None:
    lines, missed = list[Passed](), 0
    while True:
        heard = {"hidden": page.taps.hidden(device), "missed": missed, "lines": lines}
        await socket.send_text(msgspec.json.encode(heard).decode())
        await page.clock.sleep(PAUSE)
        lines, missed = await listener.taken()


async def _showing(page: Page, socket: WebSocket, device: str, came: asyncio.Event, pause: float) -> None:
    while True:
        await came.wait()
        came.clear()
        if (shown := page.view.image(device)) is not None:
            await socket.send_bytes(packed(shown))
        await page.clock.sleep(pause)


async def _while_connected(socket: WebSocket, sending: Coroutine[None, None, None]) -> None:
    """Send until the browser goes away; what it says meanwhile is nothing to us."""
    tasks = [asyncio.ensure_future(work) for work in (sending, _gone(socket))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ends:
        if isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
            raise error


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
