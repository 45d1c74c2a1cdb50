"""A small RFC 2217 server that echoes: it accepts every Telnet option and acknowledges every COM port command.

Source: RFC 2217, "Telnet Com Port Control Option"; RFC 854 for the escapes.
"""

import asyncio
from types import TracebackType
from typing import Self

SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255
COM_PORT = 44
_ANSWERS = {WILL: DO, DO: WILL}


class Rfc2217Server:
    """Serves 127.0.0.1 on a free port. `settings` holds the last value of each COM port command, `data` what came."""

    def __init__(self, *, refuse_baud: bool = False) -> None:
        self._refuse_baud = refuse_baud
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.settings: dict[int, bytes] = {}
        self.data = bytearray()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"rfc2217://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.drop()
        await self._server.wait_closed()

    async def drop(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def say(self, data: bytes) -> None:
        """The device behind the server says something."""
        for writer in self._writers:
            writer.write(data.replace(b"\xff", b"\xff\xff"))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        agreed: set[tuple[int, int]] = set()
        try:
            while True:
                byte = (await reader.readexactly(1))[0]
                if byte != IAC:
                    self.data.append(byte)
                    continue
                command = (await reader.readexactly(1))[0]
                if command == IAC:
                    self.data.append(IAC)
                elif command == SB:
                    self._acknowledge(await _subnegotiation(reader), writer)
                elif command in _ANSWERS:
                    option = (await reader.readexactly(1))[0]
                    if (command, option) not in agreed:
                        agreed.add((command, option))
                        writer.write(bytes([IAC, _ANSWERS[command], option]))
                else:
                    await reader.readexactly(1)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _acknowledge(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        assert body[0] == COM_PORT
        command, value = body[1], body[2:]
        self.settings[command] = value
        answer = b"\x00\x00\x00\x01" if self._refuse_baud and command == 1 else value
        escaped = bytes([COM_PORT, command + 100]) + answer.replace(b"\xff", b"\xff\xff")
        writer.write(bytes([IAC, SB]) + escaped + bytes([IAC, SE]))


async def _subnegotiation(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        byte = (await reader.readexactly(1))[0]
        if byte == IAC:
            byte = (await reader.readexactly(1))[0]
            if byte == SE:
                return bytes(body)
        body.append(byte)
