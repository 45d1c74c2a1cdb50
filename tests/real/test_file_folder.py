"""Which files of a watch folder are complete, on a real disk with the time as an argument."""

import logging
import os
from pathlib import Path

import pytest

from devicehub.driver import FileLink
from devicehub.model.errors import LinkLostError
from devicehub.transport.file_folder import Fate, Pace, WatchFolder
from tests.real.privileges import public_folder, unprivileged

pytestmark = pytest.mark.real
LINK = FileLink(patterns=("*.jpg", "*.jpeg"), limit=1000)


class Stored(WatchFolder):
    """A watch folder before a hub that stores whatever it is given."""

    def next_file(self, now: float, fate: Fate = Fate.STORED) -> tuple[str, bytes] | None:
        return super().next_file(now, fate)


@pytest.fixture
def folder(tmp_path: Path) -> Stored:
    return Stored(tmp_path, LINK, Pace())


def put(path: Path, content: bytes, modified: int = 0) -> Path:
    path.write_bytes(content)
    if modified:
        os.utime(path, (modified, modified))
    return path


def test_a_file_is_given_after_a_second_of_rest_and_once(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"one")
    assert folder.next_file(10.0) is None
    assert folder.next_file(10.9) is None
    assert folder.next_file(11.0) == ("a.jpg", b"one")
    assert folder.next_file(12.0) is None
    assert folder.next_file(20.0) is None
    assert (tmp_path / "taken" / "a.jpg").read_bytes() == b"one"


def test_a_file_that_still_grows_is_waited_for(folder: Stored, tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb", buffering=0) as file:
        for tenth in range(40):
            file.write(b"piece")
            assert folder.next_file(tenth * 0.9) is None
    assert folder.next_file(35.2) is None
    assert folder.next_file(36.2) == ("a.jpg", b"piece" * 40)


def test_a_half_written_file_is_given_when_it_was_finished_later(folder: Stored, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jpg", b"half, ")
    assert folder.next_file(0.0) is None
    with path.open("ab") as file:
        file.write(b"and half")
    assert folder.next_file(50.0) is None
    assert folder.next_file(51.0) == ("a.jpg", b"half, and half")


def test_an_empty_file_is_never_complete(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"")
    assert [folder.next_file(now) for now in (0.0, 5.0, 500.0)] == [None] * 3
    assert (tmp_path / "a.jpg").exists()


def test_a_file_moved_in_is_given(folder: Stored, tmp_path: Path) -> None:
    part = put(tmp_path / "a.jpg.part", b"whole")
    assert [folder.next_file(now) for now in (0.0, 5.0)] == [None] * 2
    part.rename(tmp_path / "a.jpg")
    assert folder.next_file(6.0) is None
    assert folder.next_file(7.0) == ("a.jpg", b"whole")


@pytest.mark.parametrize("name", [".a.jpg", "a.jpg.part", "a.jpg.tmp", "a.jpg.CRDOWNLOAD", "a.png", "jpg"])
def test_unfinished_and_other_files_are_left_alone(folder: Stored, tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, b"x")
    assert [folder.next_file(now) for now in (0.0, 5.0)] == [None] * 2
    assert path.exists()


def test_names_match_in_any_case(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "IR_0001.JPEG", b"x")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("IR_0001.JPEG", b"x")


def test_files_come_in_order_of_time_then_name(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "c.jpg", b"x", 1_000)
    put(tmp_path / "b.jpg", b"x", 2_000)
    put(tmp_path / "a.jpg", b"x", 2_000)
    put(tmp_path / "0.jpg", b"x", 3_000)
    assert folder.next_file(0.0) is None
    given = [folder.next_file(now) for now in (1.0, 1.1, 1.2, 1.3, 1.4)]
    assert [each and each[0] for each in given] == ["c.jpg", "a.jpg", "b.jpg", "0.jpg", None]


def test_a_file_over_the_limit_is_rejected_aloud(
    folder: Stored, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a.jpg", bytes(1001), 1_000)
    put(tmp_path / "b.jpg", bytes(1000), 2_000)
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("b.jpg", bytes(1000))
    assert (tmp_path / "rejected" / "a.jpg").stat().st_size == 1001
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("devicehub.transport.file", logging.WARNING)
    assert "a.jpg has 1001 bytes" in record.getMessage()


def test_a_name_that_was_taken_before_gets_a_number(folder: Stored, tmp_path: Path) -> None:
    for turn in range(3):
        put(tmp_path / "a.jpg", b"%d" % turn)
        assert folder.next_file(turn * 10.0) is None
        assert folder.next_file(turn * 10.0 + 1) == ("a.jpg", b"%d" % turn)
        assert folder.next_file(turn * 10.0 + 2) is None
    taken = {path.name: path.read_bytes() for path in (tmp_path / "taken").iterdir()}
    assert taken == {"a.jpg": b"0", "a-1.jpg": b"1", "a-2.jpg": b"2"}


def test_a_file_that_replaced_the_one_handed_over_is_given_too(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"first", 1_000)
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"first")
    put(tmp_path / "new", b"second", 2_000).rename(tmp_path / "a.jpg")
    assert folder.next_file(1.1) is None
    assert folder.next_file(2.1) == ("a.jpg", b"second")


def test_a_change_of_permissions_after_reading_does_not_bring_it_again(folder: Stored, tmp_path: Path) -> None:
    path = put(tmp_path / "a.jpg", b"x")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"x")
    path.chmod(0o600)
    assert [folder.next_file(now) for now in (2.0, 4.0, 6.0)] == [None] * 3
    assert (tmp_path / "taken" / "a.jpg").exists()


def test_links_pipes_and_folders_are_never_opened(
    folder: Stored, tmp_path: Path, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = put(tmp_path_factory.mktemp("elsewhere") / "secret.jpg", b"secret")
    (tmp_path / "link.jpg").symlink_to(secret)
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    assert [folder.next_file(now) for now in (0.0, 1.0, 2.0)] == [None] * 3
    told = sorted(record.getMessage().split(": ")[1].split()[0] for record in caplog.records)
    assert told == ["dangling.jpg", "folder.jpg", "link.jpg", "pipe.jpg"]


def test_a_complete_file_that_becomes_a_link_before_it_is_read_is_not_followed(
    folder: Stored, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = put(tmp_path / "secret", b"secret")
    first, second = put(tmp_path / "a.jpg", b"a", 1_000), put(tmp_path / "b.jpg", b"b....", 2_000)
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == (first.name, b"a")
    second.unlink()
    second.symlink_to(secret)
    assert folder.next_file(1.1) is None
    assert ["symbolic links" in record.getMessage() for record in caplog.records] == [True]


def test_a_link_in_place_of_the_taken_folder_leads_nowhere(
    folder: Stored, tmp_path: Path, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (tmp_path / "taken").symlink_to(elsewhere)
    put(tmp_path / "a.jpg", b"x")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"x")
    assert [folder.next_file(now) for now in (2.0, 3.0, 4.0)] == [None] * 3
    assert not list(elsewhere.iterdir())
    assert ["cannot be moved" in record.getMessage() for record in caplog.records] == [True]


def test_a_name_that_is_no_utf_8_arrives_as_text(folder: Stored, tmp_path: Path) -> None:
    try:
        put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")), b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("\ufffd.jpg", b"x")


def test_files_that_vanish_before_they_are_read_or_moved_do_no_harm(folder: Stored, tmp_path: Path) -> None:
    paths = [put(tmp_path / name, b"x", 1_000) for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"x")
    for path in paths[:2]:
        path.unlink()
    assert folder.next_file(1.1) == ("c.jpg", b"x")
    assert folder.next_file(1.2) is None


def test_a_file_that_may_not_be_read_is_left_alone_until_it_may(caplog: pytest.LogCaptureFixture) -> None:
    with public_folder() as path:
        path.chmod(0o777)
        closed = put(path / "a.jpg", b"x")
        watched = Stored(path, LINK, Pace())
        with unprivileged(closed, 0):
            assert [watched.next_file(now) for now in (0.0, 1.0, 2.0)] == [None] * 3
        assert ["Permission denied" in record.getMessage() for record in caplog.records] == [True]
        closed.chmod(0o644)
        assert watched.next_file(3.0) is None
        assert watched.next_file(4.0) == ("a.jpg", b"x")


def test_a_folder_that_vanishes_is_a_lost_link(folder: Stored, tmp_path: Path) -> None:
    assert folder.next_file(0.0) is None
    tmp_path.rmdir()
    with pytest.raises(LinkLostError, match="No such file"):
        folder.next_file(1.0)


def test_while_nobody_can_say_what_became_of_a_file_it_stays_and_no_other_is_given(
    folder: Stored, tmp_path: Path
) -> None:
    put(tmp_path / "a.jpg", b"one", 1_000)
    put(tmp_path / "b.jpg", b"two", 2_000)
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"one")
    assert [folder.next_file(now, Fate.OPEN) for now in (2.0, 3.0, 3600.0)] == [None] * 3
    assert not (tmp_path / "taken").exists()
    assert folder.next_file(3601.0) == ("b.jpg", b"two")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["a.jpg"]


def test_a_folder_that_vanishes_while_the_fate_of_a_file_is_open_is_a_lost_link(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"one")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"one")
    (tmp_path / "a.jpg").unlink()
    tmp_path.rmdir()
    with pytest.raises(LinkLostError):
        folder.next_file(2.0, Fate.OPEN)


def test_a_file_that_there_was_no_room_for_is_given_again(
    folder: Stored, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "a.jpg", b"one")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"one")
    for now in (2.0, 3.0):
        assert folder.next_file(now, Fate.REFUSED) == ("a.jpg", b"one")
    assert len(caplog.records) == 2
    assert folder.next_file(4.0) is None
    assert (tmp_path / "taken" / "a.jpg").exists()


def test_where_nothing_is_stored_files_stay_and_are_given_once(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"one")
    given = [folder.next_file(now, Fate.UNKNOWN) for now in (0.0, 1.0, 2.0, 3.0)]
    assert given == [None, ("a.jpg", b"one"), None, None]
    assert (tmp_path / "a.jpg").exists()


def test_a_file_replaced_before_it_was_moved_is_given_again(folder: Stored, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", b"one")
    assert folder.next_file(0.0) is None
    assert folder.next_file(1.0) == ("a.jpg", b"one")
    put(tmp_path / "a.jpg", b"another")
    assert folder.next_file(2.0) is None
    assert folder.next_file(3.0) == ("a.jpg", b"another")
    assert folder.next_file(4.0) is None
    assert (tmp_path / "taken" / "a.jpg").read_bytes() == b"another"
