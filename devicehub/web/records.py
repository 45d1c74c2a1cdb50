"""What the journal holds, for the page: a page of events at a time, and as a file to take away.

Of what is simulated or of what is real, as the hub runs now: the journal may hold both. Of this station under
whichever name it had: what it told before its site or node were called something else is its own as well.
"""

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime
from itertools import chain
from math import inf
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from devicehub.journal.archive import lines, told
from devicehub.journal.browse import MOST, Found, Wish, browse
from devicehub.journal.report import reading
from devicehub.model.errors import JournalDamagedError, JournalMissingError
from devicehub.model.instant import instant
from devicehub.publish.topics import is_simulated
from devicehub.web.page import Page

EXPORTED_MOST: Final = 100_000
WITHOUT_MOST: Final = 8
COLUMNS: Final = ("position", "recorded", "topic", "intact", "payload", "exercise")


async def listed(page: Page, disk: Executor, request: Request) -> Response:
    """A page of events as JSON: `{"events": [...], "before": position or null}`. `disk`: where it is read."""
    wish = wish_of(page, request)
    found = await asyncio.get_running_loop().run_in_executor(disk, _page, page.journal, wish)
    last = found[-1].position if len(found) == min(wish.most, MOST) else None
    body = msgspec.json.encode({"events": [told(one) for one in found], "before": last})
    return Response(body, media_type="application/json")


async def exported(page: Page, disk: Executor, request: Request) -> Response:
    """All events that are wished for, newest first, as JSON lines, or as CSV below the names of its columns."""
    formats: dict[str, tuple[Callable[[list[Found]], bytes], str, list[bytes]]] = {
        "jsonl": (lines, "application/jsonl", []),
        "csv": (_table, "text/csv; charset=utf-8", [_rows([COLUMNS])]),
    }
    form = request.path_params["form"]
    if form not in formats:
        raise HTTPException(404)
    write, media, head = formats[form]
    wish = structs.replace(wish_of(page, request), most=MOST)
    first = await asyncio.get_running_loop().run_in_executor(disk, _page, page.journal, wish)
    written = chain(head, (write(found) for found in _following(page.journal, wish, first)))
    named = {"content-disposition": f'attachment; filename="{page.taken}.{form}"'}
    return StreamingResponse(written, media_type=media, headers=named)


def pages(path: Path, wish: Wish) -> Iterator[list[Found]]:
    """All events that are wished for, newest first; each page is read when the one before was taken."""
    yield from _following(path, wish, _page(path, wish))


def _following(path: Path, wish: Wish, first: list[Found]) -> Iterator[list[Found]]:
    page, count = first, 0
    while page and count < EXPORTED_MOST:
        yield page
        count += len(page)
        page = _page(path, structs.replace(wish, before=page[-1].position))


def _page(path: Path, wish: Wish) -> list[Found]:
    try:
        with reading(path) as db:
            return list(browse(db, wish))
    except JournalMissingError:
        return []
    except JournalDamagedError as error:
        raise HTTPException(503, str(error)) from None


def wish_of(page: Page, request: Request) -> Wish:
    """Which events of the page's station a request asks for. Raises `HTTPException`.

    `named`: `now` for those under the name that it has, `earlier` for those under any other, else both.
    """
    asked = request.query_params
    topics, named = page.topics, asked.get("named", "")
    if named not in {"", "now", "earlier"}:
        raise HTTPException(422, f"{named!r} is neither now nor earlier")
    return Wish(
        within=topics.prefix if named == "now" else topics.root,
        outside=topics.prefix if named == "earlier" else "",
        kind=asked.get("kind", ""),
        without=tuple(one for one in asked.get("without", "").split(",")[:WITHOUT_MOST] if one),
        device=asked.get("device", ""),
        disposition=asked.get("disposition", ""),
        alarm=asked.get("alarm", ""),
        since=_second(asked.get("since", ""), 0.0),
        until=_second(asked.get("until", ""), inf),
        before=_number(asked.get("before")),
        most=_number(asked.get("most")) or 100,
    )


def _second(text: str, default: float) -> float:
    if not text:
        return default
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise HTTPException(422, f"{text!r} is no time as 2026-11-29T09:14:00Z") from None


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise HTTPException(422, f"{text!r} is no number")
    return int(text)


def _table(page: list[Found]) -> bytes:
    return _rows(
        (
            one.position,
            instant(one.recorded),
            one.topic,
            one.intact,
            _harmless(one.payload.decode()),
            is_simulated(one.topic),
        )
        for one in page
    )


def _rows(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell
