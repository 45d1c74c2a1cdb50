"""Stored events for people: of a kind, device or time, newest first, a page at a time, each with its digest checked."""

import sqlite3
from collections.abc import Iterator
from math import inf
from typing import Final

from msgspec import Struct

from devicehub.journal.proof import content
from devicehub.journal.rows import COLUMNS

MOST: Final = 500
_PREFIX: Final = "io.devicehub."
_ESCAPED: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Wish(Struct, frozen=True):
    """Which events. `kind`: how their type begins, without the common prefix; `since` and `until`: UTC seconds.

    `without`: kinds that are left out. `within`: the topic prefix, as of all that is real or of one node, below which
    alone events are given; a journal may hold what is real and what is simulated, and what its hub told under an
    earlier name. `outside`: the one below which they are left out.

    `disposition`: what a detection turned out to be. `alarm`: id of the one that is told of. `before`: only positions
    lower than that, which is how the next page is asked for.
    """

    kind: str = ""
    without: tuple[str, ...] = ()
    within: str = ""
    outside: str = ""
    device: str = ""
    disposition: str = ""
    alarm: str = ""
    since: float = 0.0
    until: float = inf
    before: int | None = None
    most: int = 100


class Found(Struct, frozen=True):
    """One event. `intact`: its bytes are those that were stored."""

    position: int
    recorded: float
    topic: str
    payload: bytes
    intact: bool


def browse(db: sqlite3.Connection, wish: Wish) -> Iterator[Found]:
    """Newest first. Raises `sqlite3.Error`."""
    clauses, values = ["recorded >= ?", "type LIKE ? ESCAPE '\\'"], [wish.since, _beginning(_PREFIX + wish.kind)]
    for kind in wish.without:
        clauses.append("type NOT LIKE ? ESCAPE '\\'")
        values.append(_beginning(_PREFIX + kind))
    for prefix, sign in ((wish.within, "="), (wish.outside, "<>")):
        if prefix:
            clauses.append(f"substr(topic, 1, ?) {sign} ?")
            values += [len(prefix) + 1, f"{prefix}/"]
    if wish.until < inf:
        clauses.append("recorded <= ?")
        values.append(wish.until)
    if wish.before is not None:
        clauses.append("position < ?")
        values.append(wish.before)
    for clause, found in _subjects(wish):
        clauses.append(clause)
        values += found
    where = " AND ".join(clauses)
    query = f"SELECT {COLUMNS} FROM event WHERE {where} ORDER BY position DESC LIMIT ?"
    for row in db.execute(query, (*values, min(wish.most, MOST))):
        position, _, _, recorded, topic, *_ = row
        yield Found(position, recorded, topic, row[12], content(row) == row[13])


def _subjects(wish: Wish) -> Iterator[tuple[str, list[str]]]:
    """What it is about, as clauses and their values."""
    if wish.device:
        yield "(subject = ? OR subject LIKE ? ESCAPE '\\')", [wish.device, _beginning(f"{wish.device}/")]
    if wish.disposition:
        yield "instr(payload, CAST(? AS BLOB)) > 0", [f'"disposition":{{"code":"{wish.disposition}"']
    if wish.alarm:
        yield "instr(payload, CAST(? AS BLOB)) > 0", [f'"alarm":"{wish.alarm}"']


def _beginning(text: str) -> str:
    return text.translate(_ESCAPED) + "%"
