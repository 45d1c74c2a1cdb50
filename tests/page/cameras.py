"""Thermal cameras at a page: on the simulated bus, with a limit, or behind a port, looking at what a test shows them."""

import asyncio
from random import Random
from typing import Final, Self

from simulators.thermal.gy_mcu90640 import SIMULATOR

WARM: Final = 22.0
"""A limit in Cel that the room itself is above: the alarm comes with the first image, and stands."""
HOT: Final = 33.0
"""A limit that the room is far below. On the simulated bus somebody passes for the second half of every 40 seconds."""


def thermal(high: float = WARM, *, category: str = "threat", priority: str = "high", port: str = "sim:") -> str:
    """The configuration of a camera with one limit."""
    return f"""
[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "{port}"

[[limit]]
device = "thermal-1"
channel = "image.max"
high = {high}
category = "{category}"
priority = "{priority}"
"""


class Camera:
    """A simulated camera behind a TCP port, until its plug is pulled."""

    def __init__(self) -> None:
        self.simulator = SIMULATOR(Random(1))
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.port = f"socket://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.pull()

    def pull(self) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            line.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        while not writer.is_closing() and not reader.at_eof():
            try:
                async with asyncio.timeout(0.05):
                    writer.write(self.simulator.on_bytes(await reader.read(100)))
            except TimeoutError:
                writer.write(self.simulator.advance(0.05))
