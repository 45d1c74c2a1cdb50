"""Devices with a trouble of their own, on links in process: fine before `SICK` and after `WELL`, bad in between."""

import asyncio
from enum import StrEnum
from random import Random

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.driver import Driver, SerialLink
from devicehub.model.device import Category, Channel
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from tests.unit.links import decode

SICK, WELL = 300.0, 900.0
EVERY = 0.5


class Trouble(StrEnum):
    """What is wrong with a device."""

    RAISES = "raises"
    GARBAGE = "garbage"
    HANGS = "hangs"
    VANISHES = "vanishes"


def driver() -> Driver:
    """Lines of digits, and a bug for the line `!`."""
    return Driver(
        name="trace.bad",
        title="A device with a trouble",
        category=Category.TRACE,
        link=SerialLink(),
        channels=(Channel(name="value", title="Value"),),
        capabilities=("vapour",),
        framer=lambda: DelimiterFramer(b"\n", limit=64),
        decode=decode,
    )


class BadDevice:
    """One of them, and the socket it is plugged into."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self._random = Random(str(trouble))
        self._link: MemoryTransport | None = None

    def post(self) -> Post:
        return Post(str(self.trouble), self._open, lambda: driver().open({}))

    def _sick(self) -> bool:
        return SICK <= asyncio.get_running_loop().time() < WELL

    async def _open(self) -> MemoryTransport:
        while self._sick() and self.trouble is Trouble.HANGS:
            await Clock().sleep(3600)
        self._link = MemoryTransport(lambda _: None)
        return self._link

    async def live(self) -> None:
        """Say something twice a second."""
        while True:
            await Clock().sleep(EVERY)
            if self._link is not None:
                self._say(self._link)

    def _say(self, link: MemoryTransport) -> None:
        if not self._sick():
            link.push([Packet(b"42\n")])
            return
        match self.trouble:
            case Trouble.RAISES:
                link.push([Packet(b"!\n")])
            case Trouble.GARBAGE:
                noise = self._random.randbytes(2000)
                link.push(Packet(bytes(byte if byte == 10 else byte | 0x80 for byte in noise)) for _ in range(5))
            case Trouble.HANGS:
                link.lose("it stopped answering")
            case Trouble.VANISHES:
                link.push([Packet(b"4")])
                link.lose("unplugged in the middle of a frame")
