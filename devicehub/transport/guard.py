"""A link that does not let a dangerous command through, whatever is above it."""

from collections.abc import Sequence

from devicehub.model.errors import ConfigError
from devicehub.transport.link import Transport
from devicehub.wire.forbidden import Forbidden
from devicehub.wire.packet import Packet


class GuardedTransport:
    """Any link, with what must not be written to it."""

    def __init__(self, inner: Transport, forbidden: Sequence[Forbidden]) -> None:
        self.identity = inner.identity
        self._inner = inner
        self._forbidden = forbidden

    async def read(self) -> Packet:
        """The next packet. Raises `LinkLostError`."""
        return await self._inner.read()

    async def write(self, packet: Packet) -> None:
        """Send a packet. Raises `LinkLostError`; `ConfigError` for one that is never sent: a person has to see why."""
        for command in self._forbidden:
            if command.names(packet):
                raise ConfigError(f"refused to send what would {command.title}: {packet.data[:40].hex(' ')}")
        await self._inner.write(packet)

    async def close(self) -> None:
        """End the link."""
        await self._inner.close()
