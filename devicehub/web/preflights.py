"""What came of the check of a desk before a shift, as a page that prints."""

import asyncio
import re
from concurrent.futures import Executor
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from devicehub.journal.browse import MOST, Wish
from devicehub.web.page import Page
from devicehub.web.records import pages
from devicehub.web.training import printing

_NAME: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


async def preflight(page: Page, disk: Executor, request: Request) -> Response:
    """The one of that id, if it has ended and is on record here."""
    name = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise HTTPException(404)
    payload = await asyncio.get_running_loop().run_in_executor(disk, _found, page, name)
    try:
        text = page.printed(payload, request.query_params.get("language", "en"))
    except ValueError as error:
        raise HTTPException(503, f"it is of another make: {error}") from None
    return HTMLResponse(text, headers={"content-security-policy": printing(text)})


def _found(page: Page, name: str) -> bytes:
    """Its event. Raises `HTTPException` where there is none that is what was stored."""
    mark = f'"preflight":"{name}"'.encode()
    wish = Wish(kind="preflight.ended", within=page.topics.root, most=MOST)
    for found in pages(page.journal, wish):
        for one in found:
            if one.intact and mark in one.payload:
                return one.payload
    raise HTTPException(404, "no such preflight is on record on this workstation")
