"""What devices on a network broadcast so that they are found. Listened to only when somebody asks; nothing is sent.

Nobody vouches for a beacon: it is shown, and an address from it is used only when an operator configures it.
"""

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from devicehub.clock import Clock
from devicehub.model.errors import LinkBusyError

MOST: Final = 256
"""Different datagrams that are kept."""


@dataclass(frozen=True, slots=True, order=True)
class Broadcast:
    """A datagram to `port` from `host`."""

    port: int
    host: str
    data: bytes


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, port: int, heard: set[Broadcast]) -> None:
        self._port = port
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        """One of whoever sent it."""
        if len(self._heard) < MOST:
            self._heard.add(Broadcast(self._port, str(addr[0]), data))


async def listen(ports: Iterable[int], seconds: float, clock: Clock) -> list[Broadcast]:
    """What comes to these UDP ports of every interface within `seconds`, each thing once.

    Raises `LinkBusyError` for a port that somebody else holds.
    """
    heard: set[Broadcast] = set()
    loop = asyncio.get_running_loop()
    with ExitStack() as open_ones:
        for port in sorted(set(ports)):
            open_ones.callback((await _bound(loop, port, heard)).close)
        await clock.sleep(seconds)
    return sorted(heard)


async def _bound(loop: asyncio.AbstractEventLoop, port: int, heard: set[Broadcast]) -> asyncio.DatagramTransport:
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(port, heard), local_addr=("0.0.0.0", port))
    except OSError as error:
        raise LinkBusyError(f"UDP port {port} cannot be listened to: {error.strerror or error}") from None
    return transport
