"""An MQTT 5 broker of a hundred lines that answers a publish with whatever code a test wants: Mosquitto sends few of them.

It takes one packet after the other and hands on nothing. Source: MQTT Version 5.0, 2.1 and 3.1 to 3.14.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.patience import PATIENCE
from tests.real.loopback import listening

CONNACK = bytes.fromhex("20 03 00 00 00")
PINGRESP = bytes.fromhex("d0 00")


@dataclass(frozen=True)
class Published:
    """A message that came, and the loop second at which it did."""

    topic: str
    payload: bytes
    qos: int
    at: float


@dataclass
class ScriptedBroker:
    """`answer` gives the reason code of a PUBACK; what it took (below 0x80) and refused is kept in order of arrival.

    `grant` gives the reason code of a filter in a SUBACK; `silent` says which messages get no PUBACK at all.
    """

    answer: Callable[[Published], int]
    port: int = 0
    grant: Callable[[str], int] = lambda _: 1
    silent: Callable[[Published], bool] = lambda _: False
    connections: int = 0
    taken: list[Published] = field(default_factory=list[Published])
    refused: list[Published] = field(default_factory=list[Published])
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, what: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until `what()` is true of the messages that came."""
        async with asyncio.timeout(seconds):
            while not what():
                self._arrived.clear()
                await self._arrived.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its end."""
        self.connections += 1
        try:
            while True:
                first, body = await _packet(reader)
                writer.write(self._reply(first, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _reply(self, first: int, body: bytes) -> bytes:
        match first >> 4:
            case 1:
                return CONNACK
            case 12:
                return PINGRESP
            case 8:
                return _suback(body, self.grant)
            case 3:
                return self._publish((first >> 1) & 3, body)
            case _:
                return b""

    def _publish(self, qos: int, body: bytes) -> bytes:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        identifier, rest = (rest[:2], rest[2:]) if qos else (b"", rest)
        size, rest = _variable(rest)
        one = Published(topic, rest[size:], qos, asyncio.get_running_loop().time())
        code = self.answer(one)
        (self.taken if code < 0x80 else self.refused).append(one)
        self._arrived.set()
        return bytes([0x40, 3]) + identifier + bytes([code]) if qos and not self.silent(one) else b""


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The first byte and the body of the next packet."""
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


def _variable(text: bytes) -> tuple[int, bytes]:
    """A variable byte integer and what follows it."""
    number = 0
    for place, byte in enumerate(text):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, text[place + 1 :]
    raise ValueError("a variable byte integer without an end")


def _suback(body: bytes, grant: Callable[[str], int]) -> bytes:
    identifier, rest = body[:2], body[2:]
    size, rest = _variable(rest)
    rest, codes = rest[size:], b""
    while rest:
        end = 2 + int.from_bytes(rest[:2], "big")
        codes += bytes([grant(rest[2:end].decode())])
        rest = rest[end + 1 :]
    return bytes([0x90, 3 + len(codes)]) + identifier + b"\x00" + codes


@asynccontextmanager
async def scripted_broker(answer: Callable[[Published], int]) -> AsyncIterator[ScriptedBroker]:
    """Running on a free port of loopback."""
    broker = ScriptedBroker(answer)
    async with listening(broker.serve) as broker.port:
        yield broker
