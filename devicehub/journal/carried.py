"""What goes from a damaged journal into the new one, and what is lost. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from devicehub.journal.proof import Fault, Finding, finding
from devicehub.journal.rows import Mark, Row
from devicehub.journal.tables import Meta, Receipt
from devicehub.model.stream import Stream

_EPOCH: Final = re.compile(rb'"epoch":"([0-9a-f]{1,64})"')
_MOST: Final = 1000

Ranges = tuple[tuple[int, int], ...]


class Old(Struct, frozen=True):
    """What was found of a damaged journal. `rows`: proven, by position; `damaged`: what reads like a row and is not.

    `known` None: nothing says how far it was delivered. `everything`: whether to carry what was delivered too.
    """

    rows: dict[int, Row]
    damaged: dict[int, Row]
    known: Meta | None
    receipts: Sequence[Receipt]
    quarantine: Iterable[int]
    findings: Sequence[Finding]
    everything: bool = True

    @property
    def epoch(self) -> str:
        """Its epoch, from what was published if nothing else says it; "" where that does not either."""
        if self.known is not None:
            return self.known.epoch
        found = (match for row in self.rows.values() if row[2] is not None and (match := _EPOCH.search(row[-3])))
        match = next(found, None)
        return "" if match is None else match[1].decode()

    @property
    def last(self) -> int:
        """The last position it had, as far as is known."""
        return max([*self.rows, 0 if self.known is None else self.known.last])

    @property
    def pruned(self) -> int:
        """Up to where holes are no damage."""
        return min(self.rows, default=1) - 1 if self.known is None else self.known.pruned


def marks(old: Old) -> dict[Stream, Mark]:
    """From where each stream is delivered again: nobody can ask for numbers of an epoch that ended.

    That is behind what the broker acknowledged, or what the last durable consumer confirmed, whichever is less; of what
    was carried over before, behind nothing while one has confirmed nothing since.
    """
    return {stream: Mark(_mark(old, stream)) for stream in Stream}


def rows(old: Old) -> list[Row]:
    """What is carried over, in order."""
    since = {stream.value: mark.position for stream, mark in marks(old).items()}
    stands = {row[4]: position for position, row in sorted(old.rows.items()) if row[6]}
    kept = {*stands.values(), *old.quarantine}
    return [
        row
        for position, row in sorted(old.rows.items())
        if position > since[row[1]] or position in kept or (old.everything and position > old.pruned)
    ]


def lost_numbers(old: Old) -> dict[Stream, Ranges]:
    """Numbers that are gone and that somebody may still wait for."""
    found: dict[Stream, Ranges] = {}
    for stream in Stream:
        have = {row[2] for row in old.rows.values() if row[1] == stream and row[2] is not None}
        confirmed, last = min(have, default=1) - 1, max(have, default=0)
        if old.known is not None:
            confirmed, last = _confirmed(old, stream), max(last, old.known.numbers[stream])
        if ranges := tuple(_ranges(number for number in range(confirmed + 1, last + 1) if number not in have)):
            found[stream] = ranges
    return found


def lost_positions(old: Old) -> Ranges:
    """Places that held an event which is gone."""
    named = {one.position for one in old.findings if one.fault is Fault.CONTENT and one.position <= old.pruned}
    behind = range(old.pruned + 1, old.last + 1)
    return tuple(_ranges(sorted({position for position in {*behind, *named} if position not in old.rows})))


def findings(old: Old) -> tuple[Finding, ...]:
    """Everything that is wrong, those rows that are lost named as such."""
    named = {one.position: one for one in old.findings if one.position and one.last <= one.position}
    lost: list[Finding] = []
    for first, last in lost_positions(old):
        for position, group in _named(range(first, last + 1), {*named, *old.damaged}):
            one = named.get(position) or _damaged(old, position) or Finding(Fault.MISSING, position, last=group)
            lost.append(_lost(one))
    gone = {one.position for one in lost}
    rest = [one for one in old.findings if one.position not in gone or not one.position]
    return (*rest, *lost)[:_MOST]


def _damaged(old: Old, position: int) -> Finding | None:
    return finding(old.damaged[position], Fault.CONTENT) if position in old.damaged else None


def _lost(one: Finding) -> Finding:
    return Finding(one.fault, one.position, one.stream, one.number, one.id, "lost", one.last)


def _named(positions: range, known: set[int]) -> Iterator[tuple[int, int]]:
    """Positions one by one where something is known of them, else as ranges."""
    for alone, group in groupby(positions, key=lambda position: position if position in known else 0):
        members = list(group)
        yield members[0], 0 if alone else members[-1]


def _mark(old: Old, stream: Stream) -> int:
    if old.known is None:
        return 0
    floor, acked = _floor(old, stream), old.known.acked[stream].position
    if floor is None:
        return acked
    owed = (row[0] for row in old.rows.values() if row[1] == stream and _is_owed(row, floor, old.known.carried))
    return min(acked, min(owed, default=acked + 1) - 1)


def _is_owed(row: Row, floor: int, before: int) -> bool:
    """`before`: up to where it was carried over before, which whoever has confirmed nothing since may lack."""
    if row[2] is None:
        return floor == 0 and row[0] <= before and not row[6]
    return row[2] > floor


def _floor(old: Old, stream: Stream) -> int | None:
    return min((one.number for one in old.receipts if one.stream is stream), default=None)


def _confirmed(old: Old, stream: Stream) -> int:
    acked = 0 if old.known is None else old.known.acked[stream].number
    floor = _floor(old, stream)
    return acked if floor is None else min(acked, floor)


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of whole numbers in order."""
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield run[0], run[-1]
