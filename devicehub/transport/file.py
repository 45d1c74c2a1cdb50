"""Watch folders: a device's memory card, a share, a folder that a vendor's tool exports to.

A file is taken when it is complete (see `file_folder`), one at a time, in order of modification time and
name. It moves to `taken/`, with a number added when that name is taken, when all that came of it is on
stable storage, and the next one is not read before. One that there was no room for (which is published
as a gap) is read again. A hub that is killed in between reads the file again too, and its events come
twice, with the same digest: at least once, never less. Where nothing is stored (a recording, one picture
for a person) files stay in place. A file is never deleted or overwritten.

Files over the limit move to `rejected/`, what cannot be read stays; both are logged once as warnings.
Files named `.*`, `*.part`, `*.tmp` and `*.crdownload` are somebody's unfinished work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from devicehub.clock import Clock
from devicehub.driver import FileLink
from devicehub.model.errors import LinkLostError
from devicehub.transport.blocking import Blocking
from devicehub.transport.file_folder import USUAL, Fate, Pace, WatchFolder
from devicehub.transport.link import LinkIdentity
from devicehub.wire.packet import Packet

__all__ = ["FileTransport", "Stored"]

Stored = Callable[[float, float], Awaitable[bool]]
"""Waits until the fate of all that a device said between two monotonic seconds is known; whether it is stored."""


class FileTransport:
    """An open watch folder. See `devicehub.transport.link.Transport`. Files are touched in a thread only."""

    def __init__(self, folder: WatchFolder, clock: Clock, blocking: Blocking, stored: Stored | None) -> None:
        """Use `open`."""
        self.identity = LinkIdentity(path=str(folder.path))
        self._folder = folder
        self._clock = clock
        self._blocking = blocking
        self._stored = stored
        self._handed: float | None = None
        self._asked: float | None = None
        self._job: asyncio.Task[tuple[str, bytes] | None] | None = None
        self._closed = asyncio.Event()

    @classmethod
    async def open(
        cls,
        folder: Path,
        link: FileLink,
        clock: Clock,
        *,
        pace: Pace = USUAL,
        blocking: Blocking | None = None,
        stored: Stored | None = None,
    ) -> Self:
        """Watch `folder`. `blocking`: of the device, shared by all its attempts. `stored`: None where nothing is.

        Raises `LinkMissingError`, and `LinkPermissionError` when the folder cannot be read and written.
        """
        blocking = blocking or Blocking(str(folder))
        watched = await blocking.run(WatchFolder, folder, link, pace)
        return cls(watched, clock, blocking, stored)

    async def read(self) -> Packet:
        """The next complete file, its name as the port. Raises `LinkLostError` when the folder is gone.

        To ask for it says that everything was said that there is to say of the one before.
        """
        if self._asked is None:
            self._asked = self._clock.monotonic()
        while True:
            fate = await self._fate()
            found = await self._look(fate)
            if self._closed.is_set():
                raise LinkLostError("closed")
            if found is not None:
                name, data = found
                self._handed, self._asked = self._clock.monotonic(), None
                return Packet(data, name)
            if fate is not Fate.OPEN:
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._folder.pace.period):
                await self._closed.wait()
        except TimeoutError:
            return

    async def _fate(self) -> Fate:
        """What became of the file handed over last, as far as that can be said within the time between two looks."""
        if self._handed is None or self._asked is None:
            return Fate.UNKNOWN
        if self._stored is None:
            self._handed = None
            return Fate.UNKNOWN
        closed = asyncio.ensure_future(self._closed.wait())
        stored = asyncio.ensure_future(self._stored(self._handed, self._asked))
        try:
            await asyncio.wait({closed, stored}, timeout=self._folder.pace.period, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            stored.cancel()
        if not stored.done() or stored.cancelled():
            return Fate.OPEN
        return Fate.STORED if stored.result() else Fate.REFUSED

    async def _look(self, fate: Fate) -> tuple[str, bytes] | None:
        """One look at the folder. When the caller is cancelled the look goes on, and the next call gets its result."""
        if self._closed.is_set():
            raise LinkLostError("closed")
        if self._job is None:
            if fate is not Fate.OPEN:
                self._handed = None
            look = self._blocking.run(self._folder.next_file, self._clock.monotonic(), fate)
            self._job = asyncio.get_running_loop().create_task(look)
        try:
            found = await asyncio.shield(self._job)
        except LinkLostError:
            self._job = None
            raise
        self._job = None
        return found

    async def write(self, packet: Packet) -> None:
        """Nothing can be written to a device that leaves files. Always raises `LinkLostError`."""
        raise LinkLostError(f"a watch folder takes no packets, and {len(packet.data)} bytes were written to it")

    async def close(self) -> None:
        """Stop looking; a pending `read` raises. A file whose fate is open stays and is read again after `open`."""
        self._closed.set()
        job, self._job = self._job, None
        if job is not None:
            await asyncio.gather(job, return_exceptions=True)
