"""One limit is changed after the other: written as a new version, read again, or put back."""

import asyncio
from collections.abc import Awaitable, Callable

from devicehub.hub.plan import Amend
from devicehub.model.errors import ConfigError, JournalError
from devicehub.model.rulebook import LimitWish


class Amending:
    """Changes limits of the hub that runs."""

    def __init__(self, amend: Amend, reload: Callable[[], Awaitable[str]]) -> None:
        self._amend = amend
        self._reload = reload
        self._one = asyncio.Lock()

    async def change(self, wish: LimitWish) -> str:
        """What changed, once it is in force. Raises `ConfigError` and `JournalError`; the rules are as before then."""
        async with self._one:
            undo = await self._amend(wish)
            try:
                return await self._reload()
            except (ConfigError, JournalError):
                await undo()
                raise
