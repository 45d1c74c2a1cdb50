"""Images on which alarms came go to disk at leisure: whatever becomes of them, no alarm waits for one."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Outcome
from devicehub.core.frames import capture_data
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.message import Kind, Message
from devicehub.model.reading import Image, Layout
from devicehub.model.stream import Stream
from devicehub.process import EXPOSED, Sinks
from tests.real.journals import NAME, encode
from tests.real.test_full_journal import nowhere
from tests.real.test_journal_space import transition
from tests.unit.publish.examples import TIME, ULID

pytestmark = pytest.mark.real

WITHIN = 5.0


def exposure(number: int) -> Outcome:
    """An alarm and the image on which it came."""
    image = Image("image", number.to_bytes(2), Layout.U16LE, 1, 1)
    told = Message(
        Kind.CAPTURE, "capture", f"{number:026d}", TIME, 1.0, capture_data(image, "alarm", ULID), "thermal-1"
    )
    return Outcome([transition(), told], exposed={told.id: image})


async def sinks(folder: Path, evidence: EvidenceStore) -> Sinks:
    journal = Journal(folder / NAME, encode, Clock())
    await journal.open()
    return Sinks(journal, Board(), evidence, nowhere, Gauges(), Clock())


async def test_an_image_is_on_disk_before_it_is_told_of(tmp_path: Path) -> None:
    there = await sinks(tmp_path, EvidenceStore(tmp_path / "evidence"))
    seen: list[bool] = []
    there.listeners.append(lambda one: seen.append(one.kind is Kind.EVENT or any((tmp_path / "evidence").glob("*/*"))))
    await there.accept(exposure(1))
    assert seen == [True], "the alarm alone"
    developing = asyncio.create_task(there.develop())
    await there.exposed.join()
    assert seen == [True, True]
    assert [found.read_bytes() for found in (tmp_path / "evidence").glob("*/*")] == [b"\x00\x01"]
    developing.cancel()
    await there.journal.close()


async def test_while_the_disk_of_the_evidence_hangs_alarms_are_stored_and_what_finds_no_room_is_counted(
    tmp_path: Path,
) -> None:
    with ThreadPoolExecutor(1) as thread:
        hung = Event()
        thread.submit(hung.wait)
        there = await sinks(tmp_path, EvidenceStore(tmp_path / "evidence", thread))
        developing = asyncio.create_task(there.develop())
        async with asyncio.timeout(WITHIN):
            for number in range(EXPOSED + 3):
                await there.accept(exposure(number))
        assert there.journal.stored[Stream.ALARMS].number == EXPOSED + 3
        lost = there.refused.count
        assert (lost in {2, 3}, there.gauges.refusing) == (True, True), "one of them may be in the writer's hands"
        hung.set()
        await there.exposed.join()
        assert there.journal.stored[Stream.EVENTS].number == EXPOSED + 3 - lost
        gap = there.refused.take()
        assert gap is not None
        assert gap.count == lost
        developing.cancel()
        await there.journal.close()


async def test_an_image_that_the_disk_does_not_take_is_counted_and_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("in the way")
    there = await sinks(tmp_path, EvidenceStore(tmp_path / "evidence"))
    developing = asyncio.create_task(there.develop())
    await there.accept(exposure(1))
    await there.exposed.join()
    assert [there.journal.stored[stream].number for stream in (Stream.ALARMS, Stream.EVENTS)] == [1, 0]
    assert (there.refused.count, there.gauges.refusing) == (1, True)
    developing.cancel()
    await there.journal.close()
