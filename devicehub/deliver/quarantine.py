"""Events that the broker does not take: kept, told as holes, and sent again when asked or when it was busy.

An event leaves the way of the others at once, so that none waits behind it. It counts as delivered only when it is
in quarantine on the disk.
"""

from collections.abc import Sequence
from typing import Final

from devicehub.deliver.holes import Holes
from devicehub.journal import Entry, Journal, tables
from devicehub.model.gap import GapReason

BUSY: Final = "busy"
RETRY_FIRST: Final = 1.0
RETRY_MOST: Final = 60.0
_MOST = 100


class Quarantine:
    """What is put aside; `busy` entries come back by themselves."""

    def __init__(self, journal: Journal, holes: Holes) -> None:
        self._journal = journal
        self._holes = holes
        self._busy: dict[int, Entry] = {}
        self._again_at = 0.0
        self._pause = RETRY_FIRST
        self.count = 0

    async def resume(self) -> None:
        """Learn what earlier runs put aside; what a broker was too busy for comes back. Raises `JournalError`."""
        held = await self._journal.file(tables.quarantined)
        self.count = len(held)
        self._busy = {entry.position: entry for entry, why in held if why == BUSY}

    async def put(self, refused: Sequence[tuple[Entry, str]], now: float) -> None:
        """Keep entries with `BUSY` or why they were refused. Raises `JournalError`, and then nothing is changed."""
        rows = [(entry.position, why) for entry, why in refused]
        await self._journal.file(lambda db: tables.quarantine(db, rows))
        self.count += len(rows)
        for entry, why in refused:
            if why == BUSY:
                self._busy[entry.position] = entry
                self._again_at = now + self._pause
            if not entry.out.type.endswith(".gap"):
                self._tell(entry, GapReason.BUSY if why == BUSY else GapReason.REFUSED)

    def due(self, now: float) -> list[Entry]:
        """What the broker was too busy for, when it is time to try again: longer each time it was in vain."""
        if not self._busy or now < self._again_at:
            return []
        entries = [self._busy.pop(position) for position in list(self._busy)[:_MOST]]
        self._pause = min(self._pause * 2, RETRY_MOST)
        self._again_at = now + self._pause
        return entries

    async def all(self) -> list[Entry]:
        """Everything in quarantine, in order. Raises `JournalError`."""
        return [entry for entry, _ in await self._journal.file(tables.quarantined)]

    def busy_again(self, entry: Entry) -> None:
        """A retry was in vain because the broker is still busy."""
        self._busy[entry.position] = entry

    async def free(self, taken: Sequence[Entry]) -> None:
        """The broker took them after all. Raises `JournalError`."""
        await self._journal.file(lambda db: tables.release(db, [entry.position for entry in taken]))
        self.count = max(self.count - len(taken), 0)
        self._pause = RETRY_FIRST

    def _tell(self, entry: Entry, reason: GapReason) -> None:
        if entry.number is None:
            self._holes.count(reason)
        else:
            self._holes.add(entry.stream, entry.number, entry.number, reason)
