"""A recording as a link: what the device said, at the times it said it. Written bytes go nowhere."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from devicehub.clock import Clock
from devicehub.model.errors import LinkLostError, LinkMissingError, LinkPermissionError
from devicehub.record import Line, parse
from devicehub.transport.blocking import Blocking
from devicehub.transport.link import LinkIdentity
from devicehub.wire.packet import Packet


class ReplayTransport:
    """Plays the `<` lines of a transcript, `speed` times as fast; then the link is lost."""

    def __init__(self, lines: Sequence[Line], clock: Clock, *, speed: float = 1.0, path: str = "replay") -> None:
        self.identity = LinkIdentity(path=path)
        self._lines = [line for line in lines if line.sign == "<" and line.packet is not None]
        self._clock = clock
        self._speed = speed
        self._next = 0
        self._began = clock.monotonic()
        self._closed = asyncio.Event()

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, *, speed: float = 1.0, blocking: Blocking | None = None
    ) -> "ReplayTransport":
        """Read a transcript. Raises `LinkMissingError`, `LinkPermissionError`; `ConfigError` for a bad line."""
        try:
            text = await (blocking or Blocking(str(path))).run(_text, path)
        except PermissionError:
            raise LinkPermissionError(f"recording {path}: not readable by this user") from None
        except (OSError, UnicodeDecodeError) as error:
            raise LinkMissingError(f"recording {path}: {error}") from None
        return cls(parse(text, str(path)), clock, speed=speed, path=f"replay:{path}")

    async def read(self) -> Packet:
        """The next packet at its time. Raises `LinkLostError` at the end of the recording."""
        if self._next >= len(self._lines) or self._closed.is_set():
            raise LinkLostError("end of the recording")
        line = self._lines[self._next]
        await self._until(self._began + line.at / self._speed)
        self._next += 1
        if line.packet is None:
            raise LinkLostError("end of the recording")
        return line.packet

    async def write(self, packet: Packet) -> None:
        """A recording does not listen. Raises `LinkLostError` once closed."""
        del packet
        if self._closed.is_set():
            raise LinkLostError("closed")

    async def close(self) -> None:
        """End the link."""
        self._closed.set()

    async def _until(self, at: float) -> None:
        try:
            async with asyncio.timeout_at(at):
                await self._closed.wait()
        except TimeoutError:
            return
        raise LinkLostError("closed")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
