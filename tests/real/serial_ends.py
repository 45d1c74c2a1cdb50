"""What the tests of serial links share: a bare pty, reading a known number of bytes, counting descriptors."""

import asyncio
import os
import tty
from pathlib import Path

from devicehub.transport.link import Transport
from tests.patience import PATIENCE


class Line:
    """Both ends of a pty."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def forbid(self) -> str:
        """Leave the terminal to its group alone; the group's name."""
        Path(self.path).chmod(0o020)
        return Path(self.path).group()

    def close(self) -> None:
        self.hang_up()
        os.close(self.slave)


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def read_exactly(transport: Transport, size: int) -> bytes:
    """At least `size` bytes; a test whose bytes do not come fails."""
    data = bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(data) < size:
            data += (await transport.read()).data
    return bytes(data)
