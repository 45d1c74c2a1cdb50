"""What the page gives to take away as one ZIP: events of the journal and the images that they speak of."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from devicehub.journal.archive import fill
from devicehub.journal.browse import MOST, Found
from devicehub.web.page import Page
from devicehub.web.records import pages, wish_of

IMAGES_MOST: Final = 1000
_PIECE: Final = 65_536


async def zipped(page: Page, disk: Executor, request: Request) -> Response:
    """`events.jsonl`, newest first, and each image that was kept meanwhile and is still there: see `fill`."""
    found = pages(page.journal, structs.replace(wish_of(page, request), most=MOST))
    nothing: list[Found] = []
    first = await asyncio.get_running_loop().run_in_executor(disk, next, found, nothing)
    named = {"content-disposition": f'attachment; filename="{page.taken}.zip"'}
    return StreamingResponse(_pieces(chain([first], found), page.evidence), media_type="application/zip", headers=named)


def _pieces(found: Iterable[list[Found]], evidence: Path) -> Iterator[bytes]:
    """Runs in a thread; made in a temporary file, since the sizes stand at its end."""
    with TemporaryFile() as file:
        fill(file, found, evidence, IMAGES_MOST)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
