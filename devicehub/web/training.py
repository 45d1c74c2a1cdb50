"""An exercise on the page: what trainee and instructor are shown of it, and its report."""

import asyncio
import re
from collections.abc import Collection
from concurrent.futures import Executor
from typing import Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response

from devicehub.model.errors import JournalError
from devicehub.publish.port import Outgoing
from devicehub.web.access import vouched

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_HIDDEN: Final = "io.devicehub.hub.exercise"
_AUDIT: Final = "io.devicehub.command"


class Training(Protocol):
    """The exercise that is played on this hub. Whoever has not the instructor's token is a trainee."""

    @property
    def verbs(self) -> Collection[str]:
        """Commands of the hub that are the instructor's alone."""
        ...

    def told(self, *, instructor: bool) -> bytes:
        """What may be shown, as JSON."""
        ...

    def readable(self, *, instructor: bool) -> bool:
        """Whether the report may be read yet."""
        ...

    def report(self, language: str) -> str:
        """The report as HTML. Raises `JournalError`. Called in a thread."""
        ...


def is_instructor(connection: HTTPConnection) -> bool:
    """Whether it came with the instructor's token."""
    return bool(connection.state.instructor)


def hidden(out: Outgoing, verbs: Collection[str]) -> bool:
    """Whether a message tells a trainee what the instructor does."""
    return out.type == _HIDDEN or (
        (out.type == _AUDIT or out.type.startswith(f"{_AUDIT}.")) and out.subject.rpartition("/")[2] in verbs
    )


async def told(training: Training | None, request: Request) -> Response:
    """`null` where no exercise is played."""
    body = b"null" if training is None else training.told(instructor=is_instructor(request))
    return Response(body, media_type="application/json")


async def reported(training: Training | None, disk: Executor, request: Request) -> Response:
    """A page that prints."""
    if training is None:
        raise HTTPException(404)
    if not training.readable(instructor=is_instructor(request)):
        raise HTTPException(403, "the report is the instructor's until the exercise is over")
    language = request.query_params.get("language", "en")
    try:
        page = await asyncio.get_running_loop().run_in_executor(disk, training.report, language)
    except JournalError as error:
        raise HTTPException(503, str(error)) from None
    return HTMLResponse(page, headers={"content-security-policy": printing(page)})


def printing(page: str) -> str:
    """The policy of a page that prints, without scripts; its style is allowed by its digest."""
    allowed = " ".join(map(vouched, _STYLE.findall(page)))
    return f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
