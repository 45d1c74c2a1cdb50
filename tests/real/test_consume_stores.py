"""Both stores: what is stored is there for the next run, exactly once, whatever a crash left behind."""

import json
import os
import resource
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from devicehub.consume.book import Book, State
from devicehub.consume.count import Verdict
from devicehub.consume.files import STORES, opened
from devicehub.consume.heard import Heard
from devicehub.consume.lines import STATE_EVERY
from devicehub.consume.store import ForeignFileError, Store, StoreError, TakenError
from devicehub.model.stream import Stream
from tests.unit.consume.played import BOTH, events, heard, hub

pytestmark = pytest.mark.real

EACH = pytest.mark.parametrize("suffix", STORES)


def run(path: Path, messages: Sequence[Heard], together: int = 7) -> Book:
    """One run of a consumer without a broker: what it knows at its end."""
    with opened(path) as store:
        book = Book(BOTH)
        store.load(book)
        for first in range(0, len(messages), together):
            judged = [(one, book.judge(one)) for one in messages[first : first + together]]
            store.store([one for one, verdict in judged if verdict in (Verdict.STORE, Verdict.LATE)], book.changes())
    return book


def bodies(path: Path) -> list[bytes]:
    """What is stored, in order."""
    if path.suffix == ".jsonl":
        return path.read_bytes().splitlines()
    with closing(sqlite3.connect(path)) as db:
        return [body.encode() for (body,) in db.execute("SELECT body FROM message ORDER BY id")]


@EACH
def test_what_is_stored_is_what_was_published_and_the_next_run_goes_on_behind_it(tmp_path: Path, suffix: str) -> None:
    path, one = tmp_path / f"out{suffix}", hub()
    messages = [*events(one, 20), *events(one, 5, Stream.ALARMS)]
    run(path, messages[:12])
    book = run(path, messages)
    assert bodies(path) == [message.body for message in messages]
    assert book.receipt(one.topics.prefix).received == {Stream.ALARMS: 5, Stream.EVENTS: 20}


@EACH
def test_a_late_message_is_stored_last_and_once(tmp_path: Path, suffix: str) -> None:
    path, one = tmp_path / f"out{suffix}", hub()
    first, lost, third = events(one, 3)
    gap = heard(one.gap(Stream.EVENTS, ((2, 2),)))
    run(path, [first, gap, third, gap])
    run(path, [lost])
    book = run(path, [lost, *events(one, 1)])
    assert [json.loads(body)["sequence"][-1] for body in bodies(path)] == list("13425")
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == 5


@EACH
def test_lost_numbers_that_no_stored_message_tells_of_are_known_to_the_next_run(tmp_path: Path, suffix: str) -> None:
    path, one = tmp_path / f"out{suffix}", hub()
    first, *_ = events(one, 3)
    _ = events(one, 1)
    gap = heard(one.gap(Stream.EVENTS, ((2, 3),)))
    run(path, [first, gap])
    with opened(path) as store:
        book = Book(BOTH)
        store.load(book)
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == 3
    assert len(bodies(path)) == 1


@EACH
def test_every_epoch_is_kept_and_the_newest_is_current_again(tmp_path: Path, suffix: str) -> None:
    path, one = tmp_path / f"out{suffix}", hub()
    old = events(one, 3)
    one.begin_epoch()
    new = events(one, 2)
    run(path, [*old, *new])
    book = run(path, [*old, *new])
    assert book.receipt(one.topics.prefix).epoch == one.epoch
    assert len(bodies(path)) == 5


@EACH
def test_only_one_process_writes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with opened(path), pytest.raises(TakenError, match="another process"), opened(path):
        pass
    with opened(path):
        pass


@EACH
def test_what_is_stored_is_nobody_elses_business(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    run(path, events(hub(), 3))
    assert {stat.S_IMODE(one.stat().st_mode) & 0o077 for one in [path, *tmp_path.glob("*.lock")]} == {0}


@EACH
def test_a_folder_that_is_not_there_is_told(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(StoreError, match="No such file"), opened(tmp_path / "none" / f"out{suffix}"):
        pass


def store_all(store: Store, book: Book, batch: Sequence[Heard]) -> None:
    for message in batch:
        book.judge(message)
    store.store(batch, book.changes())


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Files of this process grow no further than that, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@EACH
def test_a_full_disk_is_told_and_nothing_of_the_batch_counts(tmp_path: Path, suffix: str) -> None:
    path, one = tmp_path / f"out{suffix}", hub()
    run(path, events(one, 5))
    with opened(path) as store:
        book = Book(BOTH)
        store.load(book)
        store_all(store, book, events(one, 5))
        size = max(file.stat().st_size for file in tmp_path.iterdir())
        with room_for(size + 1000), pytest.raises(StoreError):
            store_all(store, book, events(one, 100))
    book = run(path, [])
    kept = bodies(path)
    assert len(kept) == 10
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == len(kept)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    texts = {"notes.jsonl": b'{"a":1}\n{"b":2}\n', "text.jsonl": b"dear diary", "text.sqlite": b"dear diary" * 200}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
        with pytest.raises(ForeignFileError, match="left alone"):
            run(tmp_path / name, [])
        assert (tmp_path / name).read_bytes() == text
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as db:
        db.execute("CREATE TABLE message (id INTEGER)")
    with pytest.raises(ForeignFileError, match="something else"):
        run(tmp_path / "other.sqlite", [])


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.sqlite"
    run(path, [])
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(ForeignFileError, match="newer"):
        run(path, [])


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_line_that_was_not_written_to_its_end_is_cut_off_and_comes_again(tmp_path: Path, cut: int) -> None:
    path, one = tmp_path / "out.jsonl", hub()
    messages = events(one, 10)
    run(path, messages)
    (tmp_path / "out.jsonl.state").unlink()
    os.truncate(path, path.stat().st_size - cut)
    book = run(path, [])
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == 9
    assert path.read_bytes() == b"".join(message.body + b"\n" for message in messages[:9])
    run(path, messages)
    assert bodies(path) == [message.body for message in messages]
    assert not (tmp_path / "out.jsonl.torn").exists()


def test_a_first_line_that_was_not_written_to_its_end_is_put_aside(tmp_path: Path) -> None:
    path, one = tmp_path / "out.jsonl", hub()
    messages = events(one, 2)
    path.write_bytes(messages[0].body[:50])
    run(path, messages)
    assert bodies(path) == [message.body for message in messages]
    assert (tmp_path / "out.jsonl.torn").read_bytes() == messages[0].body[:50]


def test_pages_that_power_took_are_put_aside_and_what_was_behind_them_comes_again(tmp_path: Path) -> None:
    path, one = tmp_path / "out.jsonl", hub()
    messages = events(one, 10)
    run(path, messages)
    (tmp_path / "out.jsonl.state").unlink()
    whole = path.read_bytes()
    start = sum(len(message.body) + 1 for message in messages[:4]) + 20
    path.write_bytes(whole[:start] + bytes(100) + whole[start + 100 :])
    book = run(path, [])
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == 4
    assert bodies(path) == [message.body for message in messages[:4]]
    assert len((tmp_path / "out.jsonl.torn").read_bytes()) == len(whole) - len(path.read_bytes())
    run(path, messages)
    assert bodies(path) == [message.body for message in messages]


@pytest.mark.parametrize("state", ["none", "old", "of another file", "ahead", "garbage"])
def test_the_file_counts_and_not_what_lies_beside_it(tmp_path: Path, state: str) -> None:
    path, beside, one = tmp_path / "out.jsonl", tmp_path / "out.jsonl.state", hub()
    messages = events(one, 10)
    run(path, messages[:4])
    old = beside.read_bytes()
    run(path, messages)
    if state == "none":
        beside.unlink()
    elif state == "old":
        beside.write_bytes(old)
    elif state == "of another file":
        path.write_bytes(b"".join(message.body + b"\n" for message in events(hub("lane2", seed=5), 10)))
    elif state == "ahead":
        path.write_bytes(b"".join(message.body + b"\n" for message in messages[:4]))
    else:
        beside.write_bytes(b"{")
    before = bodies(path)
    book = run(path, [])
    numbers = {node: book.receipt(node).received[Stream.EVENTS] for node in book.nodes}
    assert sum(numbers.values()) == len(before)
    assert bodies(path) == before


def test_a_long_file_is_not_read_again_from_its_beginning(tmp_path: Path) -> None:
    path, one = tmp_path / "out.jsonl", hub()
    with opened(path) as store:
        book = Book(BOTH)
        store.load(book)
        written = 0
        while written <= STATE_EVERY:
            batch = events(one, 2000)
            for message in batch:
                book.judge(message)
            store.store(batch, book.changes())
            written += sum(len(message.body) + 1 for message in batch)
        assert json.loads((tmp_path / "out.jsonl.state").read_bytes())["size"] == written


def test_an_empty_batch_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "out.jsonl") as store:
        store.store([], State())
    assert not (tmp_path / "out.jsonl.state").exists()


def test_a_database_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path, one = tmp_path / "out.sqlite", hub()
    with opened(path) as store, closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        book = Book(BOTH)
        store.load(book)
        for _ in range(3):
            batch = events(one, 5)
            for message in batch:
                book.judge(message)
            store.store(batch, book.changes())
        rows = reader.execute("SELECT sequence, json_extract(body, '$.data.what') FROM message ORDER BY id").fetchall()
    assert rows == [(number, "check") for number in range(1, 16)]
