"""What is never sent to a device, whoever asks for it: commands that erase, restore, write for good or brick."""

import re

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
