"""Changed bits in the journal's files: every change is named, whatever is undamaged is delivered, the hub starts.

Zero failures in N trials bound their rate at 3/N. `DEVICEHUB_TORTURE=50` makes N fifty times as large.
"""

import asyncio
import logging
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from devicehub.journal import carve, verify
from devicehub.journal.rows import Row
from tests.memory import in_memory
from tests.torture.flips import Bench, Count, images

pytestmark = pytest.mark.real

FLIPS = 2_000 * int(os.environ.get("DEVICEHUB_TORTURE", "1"))
PARTS = 2
SABOTAGED = 300


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a folder: nothing here is about the disk, and everything is about the bytes."""
    with in_memory() as made:
        yield made


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Thousands of damaged journals say so in the log."""
    with caplog.at_level(logging.CRITICAL):
        yield


async def _flipped(folder: Path, flips: int, only: str = "", seed: int = 20261129) -> Count:
    """`only`: name of the one image whose files are changed; else those of every image in turn."""
    chosen = [image for image in await images(folder) if only in {"", image.name}]
    bench, random_ = Bench(folder), random.Random(seed)
    sources = [(image, image.flips(random_)) for image in chosen]
    for flip in range(flips):
        image, source = sources[flip % len(sources)]
        await bench.flip(image, *next(source))
    return bench.count


def _part(folder: Path, flips: int, seed: int) -> Count:
    """In a process of its own."""
    logging.disable(logging.CRITICAL)
    folder.mkdir()
    return asyncio.run(_flipped(folder, flips, seed=seed))


def test_every_change_is_named_and_every_undamaged_event_is_delivered(folder: Path) -> None:
    """Journals closed cleanly and as a crash leaves them, small events and large ones on overflow pages."""
    with ProcessPoolExecutor(PARTS, get_context("spawn")) as processes:
        parts = [processes.submit(_part, folder / str(part), FLIPS // PARTS, part) for part in range(PARTS)]
        count = Count.of([part.result() for part in parts])
    print(f"\n{count}")
    assert count.flips == FLIPS
    assert min(count.changes, count.recovered, count.lost, count.harmless, count.blind) > 0, "nothing was tried"
    assert count.wrong == []


async def test_a_journal_that_does_not_check_digests_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bench, and a journal that takes every row's word for what its digest is."""

    def trusting(stored: Row) -> bytes | None:
        return stored[-2]

    monkeypatch.setattr(verify, "content", trusting)
    monkeypatch.setattr(carve, "content", trusting)
    count = await _flipped(folder, SABOTAGED, "closed")
    print(f"\nwithout digests: {count}")
    assert len([what for what in count.wrong if "not what was stored" in what]) > 0
    assert len([what for what in count.wrong if "nothing is said" in what]) > 0


async def test_what_sqlite_checks_itself_is_not_enough(folder: Path) -> None:
    """`PRAGMA integrity_check` says "ok" to most changes of content: it looks at the tree, not at the leaves."""
    count = await _flipped(folder, SABOTAGED, "closed")
    print(f"\nSQLite's own check: {count.blind} of {count.changes} changed contents are not seen")
    assert count.blind > count.changes / 2
