"""Durable, ordered store-and-forward. The face is `Journal`; its file is the `Ledger`'s."""

from devicehub.journal.rows import Entry, Mark
from devicehub.journal.store import Journal

__all__ = ["Entry", "Journal", "Mark"]
