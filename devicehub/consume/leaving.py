"""The end of a registration: hubs keep nothing back any more for a consumer that has left."""

import asyncio
from collections.abc import Iterable
from typing import Final

from devicehub.clock import Clock
from devicehub.consume.consumer import receipt_message
from devicehub.consume.heard import node_of
from devicehub.publish.port import Connect, Publisher

LISTENING: Final = 2.0


async def leave(connect: Connect, clock: Clock, name: str, known: Iterable[str], around: str) -> list[str]:
    """Publish the empty receipt of `name` to each node; gives their prefixes.

    Those that are `known`, and those below `around` (a prefix with `+`, empty for none) for which the broker retains a
    receipt: it has 2 s to say so. Raises `DeliveryError`.
    """
    async with connect() as publisher:
        nodes = set(known)
        if around:
            await publisher.subscribe([f"{around}/receipt/{name}"])
            nodes |= await _retained(publisher)
        for node in sorted(nodes):
            await publisher.submit(receipt_message(node, name, b"", clock))
    return sorted(nodes)


async def _retained(publisher: Publisher) -> set[str]:
    found: set[str] = set()
    limit = asyncio.timeout(LISTENING)
    try:
        async with limit:
            async for message in publisher.incoming():
                if message.payload:
                    found.add(node_of(message.topic))
    except TimeoutError:
        if not limit.expired():
            raise
    return found
