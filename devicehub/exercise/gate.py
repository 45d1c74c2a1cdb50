"""The way to the broker, which a scenario can bar: as if the broker were down."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from devicehub.model.errors import DeliveryError
from devicehub.publish.port import Connect, Delivery, Incoming, Outgoing, Publisher

DOWN: Final = "exercise: the broker is down"


class Gate:
    """Open until it is barred."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._barred = asyncio.Event()

    def bar(self) -> None:
        """End the connection; none succeeds from now on."""
        self._barred.set()

    def open(self) -> None:
        """Connections succeed again."""
        self._barred = asyncio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Publisher]:
        """A connection. Raises `DeliveryError` while barred."""
        if self._barred.is_set():
            raise DeliveryError(DOWN)
        async with self._connect() as publisher:
            yield _Severable(publisher, self._barred)


class _Severable:
    """A connection that ends when the gate is barred."""

    def __init__(self, inner: Publisher, barred: asyncio.Event) -> None:
        self._inner = inner
        self._barred = barred

    @property
    def delivery(self) -> Delivery:
        return self._inner.delivery

    @property
    def dropped(self) -> int:
        return self._inner.dropped

    @property
    def unheard(self) -> int:
        return self._inner.unheard

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        if self._barred.is_set():
            raise DeliveryError(DOWN)
        return self._inner.submit(out)

    async def subscribe(self, filters: Sequence[str]) -> None:
        await self._inner.subscribe(filters)

    def incoming(self) -> AsyncIterator[Incoming]:
        return self._inner.incoming()

    async def lost(self) -> None:
        ended, barred = asyncio.ensure_future(self._inner.lost()), asyncio.ensure_future(self._barred.wait())
        try:
            await asyncio.wait((ended, barred), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            barred.cancel()
            outcome, _ = await asyncio.gather(ended, barred, return_exceptions=True)
        raise outcome if isinstance(outcome, DeliveryError) else DeliveryError(DOWN)
