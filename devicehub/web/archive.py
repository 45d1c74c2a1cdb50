"""Events of the journal and the images that they speak of, as one ZIP to take away."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from msgspec import structs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from devicehub.core.frames import evidence_name
from devicehub.journal.browse import MOST, Found
from devicehub.web.records import lines, pages, wish_of

IMAGES_MOST: Final = 1000
_PIECE: Final = 65_536
_CAPTURE: Final = b'"io.devicehub.capture"'


async def zipped(disk: Executor, journal: Path, evidence: Path, request: Request) -> Response:
    """`events.jsonl`, newest first, and `evidence/DIGEST` of each image that was kept meanwhile and is still there."""
    found = pages(journal, structs.replace(wish_of(request), most=MOST))
    nothing: list[Found] = []
    first = await asyncio.get_running_loop().run_in_executor(disk, next, found, nothing)
    named = {"content-disposition": 'attachment; filename="journal.zip"'}
    return StreamingResponse(_pieces(chain([first], found), evidence), media_type="application/zip", headers=named)


def _pieces(found: Iterable[list[Found]], evidence: Path) -> Iterator[bytes]:
    """Runs in a thread; made in a temporary file, since the sizes stand at its end."""
    with TemporaryFile() as file:
        _fill(file, found, evidence)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def _fill(file: IO[bytes], found: Iterable[list[Found]], evidence: Path) -> None:
    digests: dict[str, None] = {}
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        with archive.open("events.jsonl", "w", force_zip64=True) as events:
            for page in found:
                events.write(lines(page))
                digests |= dict.fromkeys(digest for one in page for digest in _captured(one))
        for digest in list(digests)[:IMAGES_MOST]:
            path = evidence / evidence_name(digest)
            if path.is_file():
                archive.write(path, f"evidence/{path.name}", ZIP_STORED)


def _captured(one: Found) -> Iterator[str]:
    """The digest of the image that an event says was kept."""
    if one.intact and _CAPTURE in one.payload:
        yield str(json.loads(one.payload)["data"]["digest"])
