"""The numbers of one stream in one epoch: which to store, and how far everything is there. Pure."""

from enum import StrEnum

Ranges = tuple[tuple[int, int], ...]
"""First and last number of each, both included; ascending, apart from each other."""


class Verdict(StrEnum):
    """What to do with a message. LATE: store it, although numbers above it are stored already."""

    STORE = "store"
    LATE = "late"
    DUPLICATE = "duplicate"
    HOLE = "hole"


class Count:
    """Every number below `next` is stored or in `missing`; none from `next` on is stored.

    `missing`: numbers that were told to be lost and have not come after all, also above `next`.
    """

    def __init__(self, start: int = 1, missing: Ranges = ()) -> None:
        """`start`: the first `next`."""
        self.next = start
        self.missing = missing

    @property
    def received(self) -> int:
        """What a receipt says: everything up to there is stored, or was told to be lost."""
        return self.next - 1

    def judge(self, number: int) -> Verdict:
        """Whether to store the message of that number, which counts as stored from now on if so.

        One above a hole is not: it comes again once the hole is closed.
        """
        if number > self.next:
            return Verdict.HOLE
        if number == self.next:
            self._go_on(number + 1)
            return Verdict.STORE
        if not _within(number, self.missing):
            return Verdict.DUPLICATE
        self.missing = _without(number, self.missing)
        return Verdict.LATE

    def overtake(self, number: int) -> Verdict:
        """The same where nothing can be asked for again: a number above a hole is stored, the hole is missing."""
        if number > self.next:
            self.lose(((self.next, number - 1),))
        return self.judge(number)

    def lose(self, ranges: Ranges) -> bool:
        """These numbers will not come by themselves; whether that was news. Those that are stored stay stored."""
        before = (self.next, self.missing)
        above = [(max(first, self.next), last) for first, last in ranges if last >= max(first, self.next)]
        self.missing = _merged((*self.missing, *above))
        self._go_on(self.next)
        return before != (self.next, self.missing)

    def _go_on(self, number: int) -> None:
        """`number`, or the first behind the missing ones that it is within."""
        self.next = next((last + 1 for first, last in self.missing if first <= number <= last), number)


def _within(number: int, ranges: Ranges) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _without(number: int, ranges: Ranges) -> Ranges:
    parts = (
        part
        for first, last in ranges
        for part in (((first, number - 1), (number + 1, last)) if first <= number <= last else ((first, last),))
    )
    return tuple((first, last) for first, last in parts if first <= last)


def _merged(ranges: Ranges) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
