"""Events of the journal and the images that they speak of, as one ZIP to take away."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import msgspec
from msgspec import Struct

from devicehub.core.frames import evidence_name
from devicehub.journal.browse import Found
from devicehub.model.instant import instant
from devicehub.publish.topics import is_simulated

EVENTS: Final = "events.jsonl"
_CAPTURE: Final = b'"io.devicehub.capture"'


class Filled(Struct, frozen=True):
    """What is in it. `broken`: events that are not what was stored; `missing`: images that are not there any more.

    `left_out`: images beyond the most that were asked for.
    """

    events: int
    broken: int
    images: int
    missing: int
    left_out: int


def fill(
    file: IO[bytes],
    found: Iterable[list[Found]],
    evidence: Path,
    most: int | None = None,
    reached: Callable[[int, int], None] = lambda _, __: None,
) -> Filled:
    """`events.jsonl` in the order in which they come, and of at most `most` images `DIGEST` below the folder's name.

    `evidence`: the folder of real images, or that of simulated ones, whose name says so in the file too.
    `reached`: is told how many images of how many are in it. Raises `OSError`.
    """
    digests: dict[str, None] = {}
    events = broken = images = 0
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        with archive.open(EVENTS, "w", force_zip64=True) as stream:
            for page in found:
                stream.write(lines(page))
                digests |= dict.fromkeys(digest for one in page for digest in _captured(one))
                events += len(page)
                broken += sum(not one.intact for one in page)
        wanted = list(digests)[:most]
        for number, digest in enumerate(wanted, 1):
            path = evidence / evidence_name(digest)
            if path.is_file():
                archive.write(path, f"{evidence.name}/{path.name}", ZIP_STORED)
                images += 1
            reached(number, len(wanted))
    return Filled(events, broken, images, len(wanted) - images, len(digests) - len(wanted))


def lines(page: Sequence[Found]) -> bytes:
    """Events as JSON lines."""
    return b"".join(msgspec.json.encode(told(one)) + b"\n" for one in page)


def told(one: Found) -> dict[str, object]:
    """An event for people and programs: where and when it was stored, whether it is simulated, and whether intact."""
    return {
        "position": one.position,
        "recorded": instant(one.recorded),
        "topic": one.topic,
        "exercise": is_simulated(one.topic),
        "intact": one.intact,
        "payload": msgspec.Raw(one.payload or b"null"),
    }


def _captured(one: Found) -> Iterator[str]:
    """The digest of the image that an event says was kept."""
    if one.intact and _CAPTURE in one.payload:
        yield str(json.loads(one.payload)["data"]["digest"])
