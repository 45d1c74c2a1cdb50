"""Events and images of the journal as one file to take away from the page."""

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest

from devicehub.journal.rows import TABLE, Entry, genesis, row
from devicehub.model.stream import Stream
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics
from tests.real.test_page_server import DIGEST, TOPICS, site

pytestmark = pytest.mark.real


REAL = Topics("bcp", "ws-1", exercise=False)


def stored(
    folder: Path, payloads: list[bytes], kind: str = "io.devicehub.capture", nodes: Sequence[Topics] = (TOPICS,)
) -> None:
    """A journal with these events, which are captures if nothing else is said; of these nodes in turn."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as db:
        db.execute(TABLE)
        chain = genesis("e")
        for position, payload in enumerate(payloads, 1):
            out = Outgoing(
                topic=f"{nodes[(position - 1) % len(nodes)].prefix}/t/{position}",
                payload=payload,
                qos=1,
                retain=False,
                expiry=None,
                type=kind,
                id=str(position),
                subject="cam-1",
            )
            one = row(Entry(position, Stream.EVENTS, position, 100.0, None, out), chain)
            chain = one[-1]
            db.execute(f"INSERT INTO event VALUES ({', '.join('?' * len(one))})", one)
        db.commit()


@pytest.mark.parametrize(
    ("now", "folder", "named"), [(TOPICS, "evidence-exercise", "journal-exercise"), (REAL, "evidence", "journal")]
)
async def test_events_and_their_images_are_taken_away_in_one_file_that_says_whether_they_are_simulated(
    tmp_path: Path, now: Topics, folder: str, named: str
) -> None:
    told = [
        json.dumps(
            {"type": "io.devicehub.capture", "data": {"digest": f"sha256:{name}"}}, separators=(",", ":")
        ).encode()
        for name in (DIGEST, "cd" * 32)
    ]
    stored(tmp_path, told, nodes=(now,))
    for each in ("evidence", "evidence-exercise"):
        kept = tmp_path / each / DIGEST[:2] / DIGEST
        kept.parent.mkdir(parents=True)
        kept.write_bytes(each.encode())
    async with site(tmp_path, topics=now) as one:
        status, head, body = await one.asks("/api/journal.zip", one.known)
        assert (status, "application/zip" in head) == (200, True)
        assert f'filename="{named}.zip"' in head
        for form in ("jsonl", "csv"):
            assert f'filename="{named}.{form}"' in (await one.asks(f"/api/journal.{form}", one.known))[1]
    with ZipFile(io.BytesIO(unchunked(body))) as archive:
        assert archive.namelist() == ["events.jsonl", f"{folder}/{DIGEST}"]
        assert archive.read(f"{folder}/{DIGEST}") == folder.encode()
        lines = archive.read("events.jsonl").decode().splitlines()
    assert [json.loads(line)["position"] for line in lines] == [2, 1]


@pytest.mark.parametrize(("now", "position"), [(TOPICS, 1), (REAL, 2)])
async def test_of_a_journal_with_simulated_and_real_events_only_those_are_given_that_are_as_the_hub_is(
    tmp_path: Path, now: Topics, position: int
) -> None:
    stored(tmp_path, [b'{"data":{}}'] * 2, nodes=(TOPICS, REAL))
    async with site(tmp_path, topics=now) as one:
        listed, jsonl, table, archived = [
            (await one.asks(f"/api/journal{form}", one.known))[2] for form in ("", ".jsonl", ".csv", ".zip")
        ]
    assert [event["position"] for event in json.loads(listed)["events"]] == [position]
    assert [json.loads(line)["position"] for line in unchunked(jsonl).splitlines()] == [position]
    (row,) = csv.DictReader(unchunked(table).decode().splitlines())
    assert (row["position"], row["payload"]) == (str(position), '{"data":{}}')
    simulated = now is TOPICS
    assert row["exercise"] == str(simulated)
    assert [event["exercise"] for event in json.loads(listed)["events"]] == [simulated]
    assert [json.loads(line)["exercise"] for line in unchunked(jsonl).splitlines()] == [simulated]
    with ZipFile(io.BytesIO(unchunked(archived))) as archive:
        assert [json.loads(line)["topic"] for line in archive.read("events.jsonl").splitlines()] == [
            f"{now.prefix}/t/{position}"
        ]


async def test_what_a_station_told_under_an_earlier_name_is_found(tmp_path: Path) -> None:
    before = Topics("bcp-old", "ws-1", exercise=False)
    stored(tmp_path, [b'{"data":{}}'] * 3, nodes=(before, TOPICS, REAL))
    async with site(tmp_path, topics=REAL) as one:
        found = {}
        for named in ("", "now", "earlier"):
            body = (await one.asks(f"/api/journal?named={named}", one.known))[2]
            found[named] = [event["position"] for event in json.loads(body)["events"]]
        assert found == {"": [3, 1], "now": [3], "earlier": [1]}
        assert (await one.asks("/api/journal?named=soon", one.known))[0] == 422


def unchunked(body: bytes) -> bytes:
    """A body of HTTP/1.1 chunks as one."""
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        out, body = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return out
