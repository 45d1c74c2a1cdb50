"""What the page asks for: itself, what is new, images, evidence; and what it has done."""

import asyncio
import re
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from devicehub.core.frames import evidence_name
from devicehub.model.instant import instant
from devicehub.publish.port import Incoming
from devicehub.web.archive import zipped
from devicehub.web.bodies import decoded
from devicehub.web.commissioning import Office
from devicehub.web.first import first_page
from devicehub.web.page import Page
from devicehub.web.preflights import preflight
from devicehub.web.records import exported, listed
from devicehub.web.sockets import images, news, raw
from devicehub.web.training import is_instructor, reported, told

PATIENCE: Final = 30.0
LONGEST: Final = 16_384
_STATIC: Final = Path(__file__).parent / "static"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_JPEG: Final = b"\xff\xd8\xff"


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A command from the page. `within`: seconds that it may take."""

    target: str
    verb: str
    issuer: str
    args: dict[str, str | int | float | bool] = {}
    reason: str = ""
    within: float = PATIENCE


def application(page: Page, disk: Executor) -> Starlette:
    """All routes, without the guard before them. `disk`: threads that read files, which no device shares."""
    office = Office(page.commissioning, page.remark)
    return Starlette(
        routes=[
            Route("/", partial(_index, *first_page(_STATIC))),
            Route("/api/command", partial(_command, page), methods=["POST"]),
            Route("/api/rules", partial(_rules, page)),
            Route("/api/journal", partial(listed, page, disk)),
            Route("/api/journal.zip", partial(zipped, page, disk)),
            Route("/api/journal.{form}", partial(exported, page, disk)),
            Route("/api/setup/examination", office.examined, methods=["POST"]),
            Route("/api/setup/hardware", office.found, methods=["POST"]),
            Route("/api/setup/devices", office.add, methods=["POST"]),
            Route("/api/training", partial(told, page.training)),
            Route("/training/report", partial(reported, page.training, disk)),
            Route("/preflight/{name}", partial(preflight, page, disk)),
            Route("/evidence/{digest}", partial(_evidence, page.evidence, disk)),
            WebSocketRoute("/ws/news", partial(news, page)),
            WebSocketRoute("/ws/images/{device}", partial(images, page)),
            WebSocketRoute("/ws/raw/{device}", partial(raw, page)),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
    )


async def _index(page: bytes, policy: str, _: Request) -> Response:
    return HTMLResponse(page, headers={"content-security-policy": policy})


async def _command(page: Page, request: Request) -> Response:
    """Hand a command over as if it had come over MQTT; its answers come with the news, under the id given here."""
    order = await decoded(request, Order, LONGEST, "a command")
    if page.training is not None and order.verb in page.training.verbs and not is_instructor(request):
        raise HTTPException(403, "only the instructor may do that")
    topic = f"{page.topics.prefix}/cmd/{order.target}/{order.verb}"
    name = page.clock.ulid()
    deadline = instant(page.clock.utc() + order.within)
    wire = {"id": name, "issuer": order.issuer, "deadline": deadline, "args": order.args, "reason": order.reason}
    page.command(Incoming(topic, msgspec.json.encode(wire), retain=False))
    return JSONResponse({"id": name}, 202)


async def _rules(page: Page, _: Request) -> Response:
    """The rules in force, and what is to be done upon their alarms: a `RuleBook` as JSON."""
    return Response(msgspec.json.encode(page.rules()), media_type="application/json")


async def _evidence(evidence: Path, disk: Executor, request: Request) -> Response:
    """An image that was kept, by its SHA-256; whoever saves it has a file whose name says if it is simulated."""
    digest = request.path_params["digest"]
    if not _DIGEST.fullmatch(digest):
        raise HTTPException(404)
    path = evidence / evidence_name(digest)
    try:
        data = await asyncio.get_running_loop().run_in_executor(disk, path.read_bytes)
    except OSError:
        raise HTTPException(404, "no such evidence on this workstation") from None
    media = "image/jpeg" if data.startswith(_JPEG) else "application/octet-stream"
    named = f'inline; filename="{evidence.name}-{digest}"'
    cached = "private, max-age=31536000, immutable"
    return Response(data, media_type=media, headers={"cache-control": cached, "content-disposition": named})
