"""What the hub's journal holds against what a consumer has: lost, out of order, twice."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Ids = Mapping[str, list[str]]
"""Ids of the numbered messages of each stream, in order."""


@dataclass(frozen=True)
class Verdict:
    """Of all streams together."""

    events: int
    lost: int
    inversions: int
    twice: int


def accepted(journal: Path) -> Ids:
    """What was accepted, by the journal's own order."""
    query = "SELECT stream, id FROM event WHERE number IS NOT NULL ORDER BY stream, number"
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        found: dict[str, list[str]] = {}
        for stream, name in database.execute(query):
            found.setdefault(stream, []).append(name)
    return found


def in_lines(path: Path) -> Ids:
    """What the reference consumer stored as JSON lines, in the order of the file."""
    text = path.read_text() if path.exists() else ""
    return of_bodies(json.loads(line) for line in text.splitlines())


def in_table(path: Path) -> Ids:
    """What the reference consumer stored in SQLite, in the order of storing."""
    if not path.exists():
        return {}
    query = "SELECT stream, json_extract(body, '$.id') FROM message ORDER BY id"
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        for stream, name in database.execute(query):
            found.setdefault(stream, []).append(name)
    return found


def of_bodies(bodies: Iterable[Mapping[str, object]]) -> Ids:
    """Ids of messages that carry a number."""
    found: dict[str, list[str]] = {}
    for body in bodies:
        if "sequence" in body:
            found.setdefault(str(body["stream"]), []).append(str(body["id"]))
    return found


def compared(accepted: Ids, arrived: Ids) -> Verdict:
    """Arrivals against what was accepted. Of repetitions the first counts for the order."""
    lost = inversions = twice = 0
    for stream, names in accepted.items():
        place = {name: number for number, name in enumerate(names)}
        came = arrived.get(stream, [])
        first = [name for name in dict.fromkeys(came) if name in place]
        lost += len(names) - len(first)
        inversions += sum(place[before] > place[after] for before, after in pairwise(first))
        twice += len(came) - len(set(came))
    return Verdict(sum(map(len, accepted.values())), lost, inversions, twice)
