"""What is on a disk after a power cut, by the rules that the power cuts of the journal rest on."""

import os
from errno import EIO
from random import Random

import pytest

from tests.torture.disk import PAGE, SECTOR, Call, Disk, calls

A, B, C = (letter * SECTOR for letter in (b"a", b"b", b"c"))


def call(kind: str, one: int = 0, two: int = 0, text: bytes = b"", other: bytes = b"") -> Call:
    return Call(kind, 3, one, two, text, other)


def write(text: bytes, offset: int = 0) -> Call:
    return call("W", offset, text=text)


def disk(*happened: Call, seed: int = 1, files: dict[str, bytes] | None = None) -> Disk:
    """One file, open and empty or as in `files`, after these calls."""
    made = Disk(Random(seed), {"file": b""} if files is None else files)
    for one in (call("O", text=b"file"), *happened):
        made.happen(one)
    return made


def found(made: Disk, keep: float = 0.5) -> set[bytes]:
    return {made.image(Random(seed), keep)["file"] for seed in range(300)}


SYNC, FAILED, CLOSE = call("S"), call("S", EIO), call("C")


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    made = disk(write(A), SYNC, write(B))
    assert found(made, 0.0) == {A}
    assert found(made, 1.0) == {B}
    assert found(made) == {A, B}


def test_pages_are_torn_between_sectors_and_never_within() -> None:
    made = disk(write(A + A), SYNC, write(B + B))
    assert found(made) == {A + A, A + B, B + A, B + B}


def test_writes_are_reordered_but_not_across_a_sync() -> None:
    assert B + A in found(disk(write(A + A), SYNC, write(C), write(B)))
    assert found(disk(write(A), SYNC, write(B), SYNC, write(C, SECTOR))) == {B, B + C, B + bytes(SECTOR)}


def test_a_size_may_come_without_the_content() -> None:
    assert bytes(SECTOR) in found(disk(write(A)))
    assert found(disk(write(A + B), SYNC, call("T", SECTOR))) == {A, A + B}


def test_room_that_is_taken_grows_a_file_and_never_cuts_it() -> None:
    assert found(disk(write(A + B), SYNC, call("F", 0, SECTOR), SYNC)) == {A + B}
    assert found(disk(write(A), call("F", SECTOR, SECTOR), SYNC)) == {A + bytes(SECTOR)}


def test_after_a_sync_that_failed_the_next_one_proves_nothing() -> None:
    made = disk(write(A), SYNC, write(B), FAILED, SYNC)
    assert found(made, 0.0) == {A}
    assert {found(disk(write(A), SYNC, write(B), FAILED, SYNC, seed=seed), 1.0).pop() for seed in range(40)} == {A, B}


def test_a_page_that_is_written_again_takes_all_of_itself_along() -> None:
    made = disk(write(A + A), SYNC, write(B), FAILED, write(C, SECTOR), SYNC)
    assert found(made) == {B + C}
    other = disk(write(A), SYNC, write(B), FAILED, write(C, PAGE), SYNC)
    assert found(other) == {A + bytes(PAGE - SECTOR) + C}


def test_a_name_is_there_once_its_folder_was_synced() -> None:
    new = call("O", os.O_CREAT, text=b"folder/new")
    made = disk(call("M", text=b"folder"), CLOSE, new, write(A), SYNC, CLOSE)
    assert made.image(Random(1), 0.0) == {"file": b""}
    assert made.image(Random(1), 1.0) == {"file": b"", "folder/new": A}
    for one in (call("O", text=b"folder"), SYNC, CLOSE):
        made.happen(one)
    assert made.image(Random(1), 0.0) == {"file": b""}, "the folder itself is not there"
    for one in (call("O"), SYNC):
        made.happen(one)
    assert made.image(Random(1), 0.0) == {"file": b"", "folder/new": A}


def test_a_file_that_was_removed_may_come_back_and_one_of_its_name_is_another() -> None:
    made = disk(write(A), SYNC, CLOSE, call("U", text=b"file"), call("O", text=b"file"), write(B), SYNC)
    images = [made.image(Random(seed), 0.5) for seed in range(40)]
    assert {image.get("file") for image in images} == {A, None, B}


def test_a_name_changes_at_once() -> None:
    made = disk(call("R", text=b"other", other=b"file"), files={"file": A, "other": B})
    images = [made.image(Random(seed), 0.5) for seed in range(40)]
    assert {tuple(sorted(image.items())) for image in images} == {(("file", A), ("other", B)), (("file", B),)}


@pytest.mark.parametrize("length", [0, 10, 28, 29, 33])
def test_a_record_that_was_not_finished_did_not_happen(length: int) -> None:
    head = (
        b"W" + (3).to_bytes(4, "little") + (7).to_bytes(8, "little") + bytes(8) + (5).to_bytes(4, "little") + bytes(4)
    )
    record = head + b"hello"
    assert list(calls(record + record[:length])) == [Call("W", 3, 7, 0, b"hello", b"")]
