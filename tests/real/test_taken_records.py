"""Which records of devices' memories were told is stored with them, in one commit, and outlives the hub's run."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from devicehub.journal import tables
from tests.real.journals import event, opened

pytestmark = pytest.mark.real


async def test_a_record_that_was_told_is_known_to_the_next_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert await journal.file(tables.taken) == []
        await journal.append([replace(event(1), device="ims-1", record="REF0001/135"), event(2)])
        await journal.append([replace(event(3), device="ims-1", record="REF0001/135")])
    async with opened(tmp_path) as journal:
        assert await journal.file(tables.taken) == [("ims-1", "REF0001/135")]


async def test_of_each_device_the_oldest_of_too_many_are_forgotten_and_none_for_those_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "REMEMBERED", 3)
    async with opened(tmp_path) as journal:
        await journal.append([replace(event(1), device="gmc-1", record="/1")])
        for number in range(2, 8):
            await journal.append([replace(event(number), device="ims-1", record=f"/{number}")])
        assert await journal.file(tables.taken) == [("gmc-1", "/1"), *(("ims-1", f"/{number}") for number in (5, 6, 7))]
