"""Records of commands are found again without reading the whole journal."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.journal import recall, tables
from devicehub.journal.rows import Entry, genesis, row
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing


def stored(position: int, kind: str, recorded: float) -> Entry:
    out = Outgoing("t", str(position).encode(), 1, retain=False, expiry=None, type=kind, id=str(position), subject="")
    return Entry(position, Stream.EVENTS, position, recorded, None, out)


@pytest.mark.real
def test_the_records_of_commands_come_in_order_and_by_an_index(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as db:
        tables.prepared(db, "0a1b2c3d")
        kinds = ["io.devicehub.reading", "io.devicehub.command"] * 50
        entries = [stored(at, kind, float(at)) for at, kind in enumerate(kinds, 1)]
        set_back = stored(101, "io.devicehub.command", 3.0)
        entries += [set_back, stored(102, "io.devicehub.command", 102.0)]
        tables.insert(db, [row(entry, genesis("0a1b2c3d")) for entry in entries])
        expected = [str(at).encode() for at in (*range(50, 101, 2), 102)]
        assert list(recall.commands(db, 50.0)) == expected, "a clock that was set back for a moment hides nothing"
        plan = " ".join(str(line[3]) for line in db.execute("EXPLAIN QUERY PLAN " + recall._NEWEST, (0.0,)))
    assert "USING INDEX commands" in plan
