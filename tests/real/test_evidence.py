"""Images kept as evidence, on a real disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devicehub.evidence import EvidenceStore, Held, measured, store
from devicehub.model.errors import JournalError
from tests.real.journals import full_disk
from tests.real.privileges import public_folder, unprivileged

pytestmark = pytest.mark.real

NAME = "ab/abcdef"


def test_an_image_lies_below_the_folder_under_its_name(tmp_path: Path) -> None:
    store(tmp_path / "evidence", NAME, b"pixels")
    assert (tmp_path / "evidence" / NAME).read_bytes() == b"pixels"


def test_the_same_content_twice_is_one_file_that_nobody_writes_again(tmp_path: Path) -> None:
    store(tmp_path, NAME, b"pixels")
    inode = (tmp_path / NAME).stat().st_ino
    store(tmp_path, NAME, b"pixels")
    assert (tmp_path / NAME).stat().st_ino == inode
    assert [path.name for path in (tmp_path / "ab").iterdir()] == ["abcdef"]


def test_a_full_disk_leaves_nothing_under_that_name_and_later_it_works(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(JournalError, match=r"evidence .*abcdef"):
        store(tmp_path, NAME, b"pixels")
    assert not (tmp_path / NAME).exists()
    store(tmp_path, NAME, b"pixels")
    assert (tmp_path / NAME).read_bytes() == b"pixels"


def test_a_folder_that_may_not_be_written_is_an_error_of_the_disk() -> None:
    with public_folder() as folder, unprivileged(folder, 0o555), pytest.raises(JournalError, match="Permission denied"):
        store(folder, NAME, b"pixels")


async def test_an_evidence_store_writes_in_its_own_thread_and_knows_how_much_it_holds(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as own:
        kept = EvidenceStore(tmp_path / "evidence", own)
        await kept.count()
        assert kept.held == Held(0, 0)
        await kept.keep(NAME, b"pixels")
        await kept.keep(NAME, b"pixels")
        await kept.keep("cd/cdef", b"more")
        assert kept.held == measured(tmp_path / "evidence") == Held(2, 10)
        again = EvidenceStore(tmp_path / "evidence", own)
        await again.count()
        assert again.held == Held(2, 10)
    assert (tmp_path / "evidence" / NAME).read_bytes() == b"pixels"


async def test_an_evidence_store_tells_that_the_disk_refuses(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(JournalError, match="evidence"):
        await EvidenceStore(tmp_path).keep(NAME, b"pixels")


async def test_evidence_that_cannot_be_counted_is_no_error_of_the_hub(caplog: pytest.LogCaptureFixture) -> None:
    with public_folder() as folder:
        store(folder / "evidence", NAME, b"pixels")
        kept = EvidenceStore(folder / "evidence")
        with unprivileged(folder / "evidence", 0o000):
            await kept.count()
    assert kept.held is None
    assert ["cannot be counted" in record.getMessage() for record in caplog.records] == [True]
