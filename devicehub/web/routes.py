"""What the page asks for: itself, what is new, images, evidence; and what it has done."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from devicehub.clock import Clock
from devicehub.core.frames import evidence_name
from devicehub.model.instant import instant
from devicehub.model.rulebook import RuleBook
from devicehub.publish.port import Incoming, Outgoing
from devicehub.publish.topics import Topics
from devicehub.view import News, View, Watcher
from devicehub.web.archive import zipped
from devicehub.web.pictures import packed
from devicehub.web.records import exported, listed
from devicehub.web.training import Training, hidden, is_instructor, reported, told

PAUSE: Final = 0.1
FASTEST: Final = 25.0
PATIENCE: Final = 30.0
LONGEST: Final = 16_384
_STATIC: Final = Path(__file__).parent / "static"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_JPEG: Final = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Surface:
    """What the routes work with. `evidence`: the folder of kept images; `journal`: the journal's file.

    `disk`: threads that read both, which no device shares. `training`: the exercise that is played, if there is one.
    """

    view: View
    topics: Topics
    command: Callable[[Incoming], None]
    rules: Callable[[], RuleBook]
    evidence: Path
    journal: Path
    disk: Executor
    clock: Clock
    training: Training | None = None


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A command from the page. `within`: seconds that it may take."""

    target: str
    verb: str
    issuer: str
    args: dict[str, str | int | float | bool] = {}
    reason: str = ""
    within: float = PATIENCE


def application(surface: Surface) -> Starlette:
    """All routes, without the guard before them."""
    return Starlette(
        routes=[
            Route("/", _index),
            Route("/api/command", partial(_command, surface), methods=["POST"]),
            Route("/api/rules", partial(_rules, surface)),
            Route("/api/journal", partial(listed, surface.disk, surface.journal)),
            Route("/api/journal.zip", partial(zipped, surface.disk, surface.journal, surface.evidence)),
            Route("/api/journal.{form}", partial(exported, surface.disk, surface.journal)),
            Route("/api/training", partial(told, surface.training)),
            Route("/training/report", partial(reported, surface.training, surface.disk)),
            Route("/evidence/{digest}", partial(_evidence, surface)),
            WebSocketRoute("/ws/news", partial(_news, surface)),
            WebSocketRoute("/ws/images/{device}", partial(_images, surface)),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
    )


async def _index(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html")


async def _command(surface: Surface, request: Request) -> Response:
    """Hand a command over as if it had come over MQTT; its answers come with the news, under the id given here."""
    body = await request.body()
    if len(body) > LONGEST:
        raise HTTPException(413, f"a command has at most {LONGEST} bytes")
    try:
        order = msgspec.json.decode(body, type=Order)
    except msgspec.MsgspecError as error:
        raise HTTPException(422, str(error)) from None
    if surface.training is not None and order.verb in surface.training.verbs and not is_instructor(request):
        raise HTTPException(403, "only the instructor may do that")
    topic = f"{surface.topics.prefix}/cmd/{order.target}/{order.verb}"
    name = surface.clock.ulid()
    deadline = instant(surface.clock.utc() + order.within)
    wire = {"id": name, "issuer": order.issuer, "deadline": deadline, "args": order.args, "reason": order.reason}
    surface.command(Incoming(topic, msgspec.json.encode(wire), retain=False))
    return JSONResponse({"id": name}, 202)


async def _rules(surface: Surface, _: Request) -> Response:
    """The rules in force, and what is to be done upon their alarms: a `RuleBook` as JSON."""
    return Response(msgspec.json.encode(surface.rules()), media_type="application/json")


async def _evidence(surface: Surface, request: Request) -> Response:
    """An image that was kept, by its SHA-256."""
    digest = request.path_params["digest"]
    if not _DIGEST.fullmatch(digest):
        raise HTTPException(404)
    path = surface.evidence / evidence_name(digest)
    try:
        data = await asyncio.get_running_loop().run_in_executor(surface.disk, path.read_bytes)
    except OSError:
        raise HTTPException(404, "no such evidence on this workstation") from None
    media = "image/jpeg" if data.startswith(_JPEG) else "application/octet-stream"
    return Response(data, media_type=media, headers={"cache-control": "private, max-age=31536000, immutable"})


async def _news(surface: Surface, socket: WebSocket) -> None:
    """First everything that is retained, then what comes, at most ten times a second.

    A text message is `{"prefix", "missed", "messages": [[topic, payload], ...]}`; a payload of null deletes.
    """
    await socket.accept()
    with surface.view.watched() as (latest, watcher):
        await _while_connected(socket, _telling(surface, socket, latest, partial(_fit, surface, socket, watcher)))


async def _fit(surface: Surface, socket: WebSocket, watcher: Watcher) -> News:
    """What is new and may be seen."""
    found, training = await watcher.news(), surface.training
    if training is None or is_instructor(socket):
        return found
    return structs.replace(found, messages=[out for out in found.messages if not hidden(out, training.verbs)])


async def _telling(
    surface: Surface, socket: WebSocket, latest: list[Outgoing], news: Callable[[], Awaitable[News]]
) -> None:
    await socket.send_text(_text(surface.topics.prefix, latest, 0))
    while True:
        found = await news()
        await socket.send_text(_text(surface.topics.prefix, found.messages, found.missed))
        await surface.clock.sleep(PAUSE)


def _text(prefix: str, messages: list[Outgoing], missed: int) -> str:
    told = [(out.topic.removeprefix(f"{prefix}/"), msgspec.Raw(out.payload or b"null")) for out in messages]
    return msgspec.json.encode({"prefix": prefix, "missed": missed, "messages": told}).decode()


async def _images(surface: Surface, socket: WebSocket) -> None:
    """The images of one device, the newest each time, as many a second as asked for by `?rate=`."""
    try:
        rate = min(FASTEST, max(0.1, float(socket.query_params.get("rate", "12"))))
    except ValueError:
        rate = 1.0
    await socket.accept()
    device = socket.path_params["device"]
    with surface.view.looked(device) as came:
        await _while_connected(socket, _showing(surface, socket, device, came, 1 / rate))


async def _showing(surface: Surface, socket: WebSocket, device: str, came: asyncio.Event, pause: float) -> None:
    while True:
        await came.wait()
        came.clear()
        if (shown := surface.view.image(device)) is not None:
            await socket.send_bytes(packed(shown))
        await surface.clock.sleep(pause)


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
