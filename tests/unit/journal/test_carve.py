"""Rows from the bytes of a database that SQLite would not open. The files are made by SQLite, in memory."""

import sqlite3
from contextlib import closing
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.journal.carve import carve, seals
from devicehub.journal.pages import Pages
from devicehub.journal.proof import seal
from devicehub.journal.rows import COLUMNS, TABLE, Entry, Row, genesis, row
from devicehub.journal.wal import Log
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing
from tests.torture.flips import pieces

EPOCH = "7f3a91c2"
SMALL, SIZES = b"{}", (2, 5_000, 23_000, 0)
PAGE = 4096
PLACES = ", ".join("?" * len(COLUMNS.split(",")))


def entry(position: int, payload: bytes, *, number: int | None = None, recorded: float = 1.5) -> Entry:
    stream = list(Stream)[position % 3]
    out = Outgoing("devicehub/v1/s/n/event/x", payload, 1, position % 2 == 0, None, "io.devicehub.x", "ID", "")
    return Entry(position, stream, number, recorded, None, out)


def chained(entries: list[Entry]) -> list[Row]:
    rows: list[Row] = []
    for one in entries:
        rows.append(row(one, rows[-1][-1] if rows else genesis(EPOCH)))
    return rows


def database(rows: list[Row], *extra: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(TABLE)
        db.executemany(f"INSERT INTO event VALUES ({PLACES})", rows)
        for statement in extra:
            db.execute(statement)
        db.commit()
        return db.serialize()


def found(data: bytes, epoch: str = EPOCH) -> dict[int, Row]:
    return carve(Pages(data, b"", Log()), epoch).rows


def by_position(rows: list[Row]) -> dict[int, Row]:
    return {one[0]: one for one in rows}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    payloads = map(Random(1).randbytes, SIZES * 30)
    return chained([entry(position, payload, number=position) for position, payload in enumerate(payloads, 1)])


@pytest.fixture(scope="module")
def data(rows: list[Row]) -> bytes:
    return database(rows)


def changed(data: bytes, at: int, to: bytes) -> bytes:
    return data[:at] + to + data[at + len(to) :]


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=20_000),
            st.none() | st.integers(1, 2**60),
            st.floats(0, 1e12) | st.integers(0, 2**40).map(float),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 2**50),
)
def test_every_row_that_sqlite_can_store_is_found(parts: list[tuple[bytes, int | None, float]], first: int) -> None:
    entries = [
        entry(first + place, payload, number=number, recorded=recorded)
        for place, (payload, number, recorded) in enumerate(parts)
    ]
    stored = chained(entries)
    assert found(database(stored)) == by_position(stored)


def test_rows_are_found_without_any_page_header(rows: list[Row], data: bytes) -> None:
    """The schema, the interior pages, the cell pointers and the counts are all in the first bytes of pages."""
    damaged = bytearray(data)
    damaged[:100] = bytes(100)
    for start in range(0, len(damaged), PAGE):
        if damaged[start] in {2, 5, 10, 13}:
            damaged[start : start + 8] = b"\xff" * 8
    assert found(bytes(damaged)) == by_position(rows)


def test_rows_of_pages_that_were_given_back_are_found(rows: list[Row]) -> None:
    dropped = database(rows, "PRAGMA secure_delete = 0", "DROP TABLE event")
    assert len(found(dropped)) > len(rows) * 0.9


def test_a_changed_payload_is_told_apart(rows: list[Row], data: bytes) -> None:
    at = data.index(rows[1][12][:300]) + 100
    carved = carve(Pages(changed(data, at, b"\x00"), b"", Log()), EPOCH)
    assert carved.rows.keys() == by_position(rows).keys() - {2}
    assert carved.damaged[2][:11] == rows[1][:11], "it is named as far as it can be read"


@pytest.mark.parametrize("position", [1, 7])
def test_a_changed_digest_does_not_lose_the_row(rows: list[Row], data: bytes, position: int) -> None:
    one = rows[position - 1]
    assert found(changed(data, data.index(one[-2]), bytes(32))) == by_position(rows)


def test_of_a_changed_digest_and_a_changed_payload_nothing_is_proven(rows: list[Row], data: bytes) -> None:
    one = rows[4]
    both = changed(data, data.index(one[-2]), bytes(32))
    both = changed(both, both.index(b"\x00" * 32 + one[-1]) - 1, b"!")
    assert found(both).keys() == by_position(rows).keys() - {5}


@pytest.mark.parametrize(("position", "pages"), [(2, 1), (3, 5)])
def test_a_changed_number_of_an_overflow_page_does_not_lose_the_row(
    rows: list[Row], data: bytes, position: int, pages: int
) -> None:
    """Each number of the chain in turn: behind the record, and at the beginning of each of its pages but the last."""
    local, *overflow = pieces(rows[position - 1])
    starts = [data.index(local) + len(local), *(data.index(piece) - 4 for piece in overflow[:-1])]
    assert len(starts) == pages
    for start in starts:
        assert found(changed(data, start, b"\x00\x7f\xff\xff")) == by_position(rows), f"number at {start}"


def test_of_two_rows_of_a_position_the_one_counts_that_the_chain_goes_on_from() -> None:
    """A commit that failed and was made again leaves both."""
    kept = chained([entry(position, SMALL) for position in range(1, 9)])
    refused = row(entry(5, b"refused"), kept[3][-1])
    for files in ((database([refused]), database(kept)), (database(kept), database([refused]))):
        assert carve(Pages(b"".join(files), b"", Log()), EPOCH, kept[-1][-1]).rows == by_position(kept)


@given(st.binary(max_size=3 * PAGE))
def test_any_bytes_are_no_rows(noise: bytes) -> None:
    carved = carve(Pages(noise, noise, Log(frames=2)), EPOCH)
    assert (carved.rows, seals(Pages(noise, noise, Log(frames=2)))) == ({}, [])


def test_a_seal_is_found_and_a_changed_one_is_not() -> None:
    values: dict[str, int | float | str | bytes] = {
        "last": 7,
        "epoch": EPOCH,
        "chain": bytes(range(32)),
        "recorded": 1.25,
    }
    text = seal(values).encode()
    assert seals(Pages(b"before " + text + b" after", b"", Log())) == [values]
    for at in range(len(text)):
        assert seals(Pages(changed(text, at, bytes([text[at] ^ 1])), b"", Log())) in ([], [values]), at
        assert seals(Pages(changed(text, at, bytes([text[at] ^ 1])), b"", Log())) == [], at
