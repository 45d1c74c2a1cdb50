"""What is never sent to a device, whoever asks for it: commands that erase, restore, write for good or brick.

`Forbidden` names one of those. `Allowed` is the rule behind them: what is not on its list is not sent at all, so that
a command is no less refused for being in no public source, or for standing behind another in one packet.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from devicehub.wire.packet import Packet


class Forbidden(Struct, frozen=True):
    """One dangerous command. `data` and `port`: regular expressions that the beginning of its packet matches.

    `title` says what it would do. It is refused at the edge, below every driver, command and option.
    """

    title: str
    data: bytes = b""
    port: str = ""

    def names(self, packet: Packet) -> bool:
        """Whether the packet is that command."""
        return bool(re.match(self.data, packet.data, re.DOTALL) and re.match(self.port, packet.port))


HELD_MOST: Final = 65536
"""Bytes of a request that is not whole yet: more are no request."""


def _none(packet: Packet) -> bool:
    del packet
    return False


class Allowed(Struct, frozen=True):
    """All that may be written: `packets` as they are, and those that `fits` says yes to, where a part varies.

    Each is one whole request, byte by byte: nothing before it, behind it or twice. `title` says what any other would
    do. `piece`: a request goes over the link in pieces of so many bytes; 0: in one.
    """

    packets: frozenset[Packet] = frozenset()
    fits: Callable[[Packet], bool] = _none
    title: str = "do what its driver does not ask"
    piece: int = 0

    def passes(self, packet: Packet) -> bool:
        """Whether the packet, a whole request, may be written."""
        return packet in self.packets or self.fits(packet)

    def goes_on(self, whole: bytes, piece: bytes) -> bool:
        """Whether more may follow `piece`, the last of what has come of a request, `whole`."""
        return 0 < self.piece == len(piece) and len(whole) < HELD_MOST


def refusal(packet: Packet, forbidden: Sequence[Forbidden], allowed: Allowed | None) -> str:
    """What a packet, a whole request, would do that it is refused; empty where it may be written."""
    for command in forbidden:
        if command.names(packet):
            return command.title
    return "" if allowed is None or allowed.passes(packet) else allowed.title
