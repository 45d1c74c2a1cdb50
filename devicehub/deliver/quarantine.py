"""Events that the broker does not take: kept, told as holes, and sent again when asked or when it was busy.

An event leaves the way of the others at once, so that none waits behind it. It counts as delivered only when it is
in quarantine on the disk, and leaves the quarantine only when the broker took it or a newer state of its topic
makes it void.
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from devicehub.deliver.holes import Holes
from devicehub.journal import Entry, Journal, aside
from devicehub.model.gap import GapReason

BUSY: Final = "busy"
RETRY_FIRST: Final = 1.0
RETRY_MOST: Final = 60.0
PAGE: Final = 200


class Quarantine:
    """What is put aside; what the broker was too busy for comes back by itself, a page at a time."""

    def __init__(self, journal: Journal, holes: Holes) -> None:
        self._journal = journal
        self._holes = holes
        self._busy = 0
        self._trying: set[int] = set()
        self._asked: int | None = None
        self._again_at = 0.0
        self._pause = RETRY_FIRST
        self.count = 0

    async def resume(self) -> None:
        """Learn what earlier runs put aside. Raises `JournalError`.

        After an unclean end the newest of it is told again: that may not have been written.
        """
        await self._counted(lambda _: None)
        if self._journal.unclean:
            for entry, why in await self._journal.file(aside.newest_quarantined):
                self._tell(entry, why)

    def restart(self) -> None:
        """A new connection: what was tried on the last one was not answered."""
        self._trying.clear()

    def waiting(self) -> bool:
        """Whether something is to be tried again."""
        return bool(self._busy) or self._asked is not None

    async def put(self, refused: Sequence[tuple[Entry, str]], now: float) -> None:
        """Keep entries with `BUSY` or why they were refused. Raises `JournalError`, and then nothing is changed."""
        rows = [(entry.position, why) for entry, why in refused]
        await self._counted(lambda db: aside.quarantine(db, rows))
        for entry, why in refused:
            if why == BUSY:
                self._again_at = max(self._again_at, now + self._pause)
            if entry.position not in self._trying:
                self._tell(entry, why)
            self._trying.discard(entry.position)

    async def free(self, done: Sequence[Entry]) -> None:
        """The broker took them after all, or they are void. Raises `JournalError`."""
        positions = [entry.position for entry in done]
        await self._counted(lambda db: aside.release(db, positions))
        self._trying.difference_update(positions)
        self._pause = RETRY_FIRST

    async def due(self, now: float) -> list[Entry]:
        """What is to be tried now: what an operator asked for, and what the broker was too busy for, ever more seldom.

        Raises `JournalError`.
        """
        if self._trying:
            return []
        if self._asked is not None:
            return await self._next_asked(self._asked)
        if not self._busy or now < self._again_at:
            return []
        self._pause = min(self._pause * 2, RETRY_MOST)
        self._again_at = now + self._pause
        return self._tried(await self._page(0, BUSY))

    def ask(self) -> int:
        """An operator wants all of it sent again; how many that is."""
        self._asked = 0
        return self.count

    async def _next_asked(self, after: int) -> list[Entry]:
        entries = await self._page(after, "")
        self._asked = entries[-1].position if entries else None
        return self._tried(entries)

    async def _page(self, after: int, why: str) -> list[Entry]:
        work = partial(aside.quarantined, after=after, most=PAGE, why=why)
        return [entry for entry, _ in await self._journal.file(work)]

    def _tried(self, entries: list[Entry]) -> list[Entry]:
        self._trying.update(entry.position for entry in entries)
        return entries

    async def _counted(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do it, and learn how much there is now."""

        def both(db: sqlite3.Connection) -> dict[str, int]:
            work(db)
            return aside.reasons(db)

        reasons = await self._journal.file(both)
        self.count, self._busy = sum(reasons.values()), reasons.get(BUSY, 0)

    def _tell(self, entry: Entry, why: str) -> None:
        if entry.out.type.endswith(".gap"):
            return
        reason = GapReason.BUSY if why == BUSY else GapReason.REFUSED
        if entry.number is None:
            self._holes.count(reason)
        else:
            self._holes.add(entry.stream, entry.number, entry.number, reason)
