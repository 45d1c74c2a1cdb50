"""What an open link is, whatever carries it."""

from dataclasses import dataclass
from typing import Protocol

from devicehub.wire.packet import Packet


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Who is at the other end, as far as the link itself can tell. Never a port name alone."""

    usb: str = ""
    serial: str = ""
    address: str = ""
    path: str = ""


class Transport(Protocol):
    """An open link. Every method raises `LinkLostError` once the link has ended, and nothing foreign.

    `read` may be cancelled without losing a byte. `close` never raises and may be called twice.
    """

    identity: LinkIdentity

    async def read(self) -> Packet:
        """The next packet from the device. Waits without limit; raises `LinkLostError` at the end."""
        ...

    async def write(self, packet: Packet) -> None:
        """Send a packet. Raises `LinkLostError`."""
        ...

    async def close(self) -> None:
        """Give the device back to the system."""
        ...
