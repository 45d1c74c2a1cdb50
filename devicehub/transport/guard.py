"""A link that does not let a dangerous command through, whatever is above it."""

from collections.abc import Sequence

from devicehub.model.errors import ConfigError
from devicehub.transport.link import Transport
from devicehub.wire.forbidden import Allowed, Forbidden, refusal
from devicehub.wire.packet import Packet


class GuardedTransport:
    """Any link, with what must not be written to it, and all that may be.

    A request that the link carries in pieces is held back until it is whole: a piece alone shows nothing.
    """

    def __init__(self, inner: Transport, forbidden: Sequence[Forbidden], allowed: Allowed | None = None) -> None:
        """`allowed`: None where nobody has said what is asked: then all that is not forbidden passes."""
        self.identity = inner.identity
        self._inner = inner
        self._forbidden = forbidden
        self._allowed = allowed
        self._held: tuple[Packet, ...] = ()

    async def read(self) -> Packet:
        """The next packet. Raises `LinkLostError`."""
        return await self._inner.read()

    async def write(self, packet: Packet) -> None:
        """Send a packet. Raises `LinkLostError`; `ConfigError` for one that is never sent: a person has to see why."""
        held, self._held = self._held, ()
        if held and held[0].port == packet.port:
            whole = Packet(b"".join(one.data for one in (*held, packet)), packet.port)
        elif held:
            raise _refusal("send half a request", held[0])
        else:
            whole = packet
        title = refusal(whole, self._forbidden, self._allowed)
        if title and not self._begins(title, whole, packet):
            raise _refusal(title, whole)
        if title:
            self._held = (*held, packet)
            return
        for one in held:
            await self._inner.write(one)
        await self._inner.write(packet)

    def _begins(self, title: str, whole: Packet, last: Packet) -> bool:
        """Whether what is no request may become one with further pieces."""
        allowed = self._allowed
        return allowed is not None and title == allowed.title and allowed.goes_on(whole.data, last.data)

    async def close(self) -> None:
        """End the link."""
        await self._inner.close()


def _refusal(title: str, packet: Packet) -> ConfigError:
    return ConfigError(f"refused to send what would {title}: {packet.data[:40].hex(' ')}")
