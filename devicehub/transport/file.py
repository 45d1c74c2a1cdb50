"""Watch folders: a device's memory card, a share, a folder that a vendor's tool exports to.

A file is taken when it is complete (see `file_folder`), each once, in order of modification time and
name. It stays in place for ten seconds after it was handed over, then the next look moves it to
`taken/`, with a number added when that name is taken. Nobody tells this module that the file's event is
on disk, which takes a fraction of a second; the ten seconds are what stands for it. So: a hub that ends
or is killed within them reads the file again, and its events may come twice. When the hub's own disk
refuses for longer than that and the hub is then killed, or its pipe overflows (which is published as a
gap), a file may lie in `taken/` without an event. A file itself is never deleted or overwritten.

Files over the limit move to `rejected/`, what cannot be read stays; both are logged once as warnings.
Files named `.*`, `*.part`, `*.tmp` and `*.crdownload` are somebody's unfinished work.
"""

import asyncio
from pathlib import Path
from typing import Self

from devicehub.clock import Clock
from devicehub.driver import FileLink
from devicehub.model.errors import LinkLostError
from devicehub.transport.blocking import Blocking
from devicehub.transport.file_folder import USUAL, Pace, WatchFolder
from devicehub.transport.link import LinkIdentity
from devicehub.wire.packet import Packet

__all__ = ["FileTransport"]


class FileTransport:
    """An open watch folder. See `devicehub.transport.link.Transport`. Files are touched in a thread only."""

    def __init__(self, folder: WatchFolder, identity: LinkIdentity, clock: Clock, blocking: Blocking) -> None:
        """Use `open`."""
        self.identity = identity
        self._folder = folder
        self._clock = clock
        self._blocking = blocking
        self._job: asyncio.Task[tuple[str, bytes] | None] | None = None
        self._closed = asyncio.Event()

    @classmethod
    async def open(
        cls, folder: Path, link: FileLink, clock: Clock, *, pace: Pace = USUAL, blocking: Blocking | None = None
    ) -> Self:
        """Watch `folder`. `blocking`: of the device, shared by all its attempts.

        Raises `LinkMissingError`, and `LinkPermissionError` when the folder cannot be read and written.
        """
        blocking = blocking or Blocking(str(folder))
        watched = await blocking.run(WatchFolder, folder, link, pace)
        return cls(watched, LinkIdentity(path=str(folder)), clock, blocking)

    async def read(self) -> Packet:
        """The next complete file, its name as the port. Raises `LinkLostError` when the folder is gone."""
        while True:
            found = await self._look()
            if self._closed.is_set():
                raise LinkLostError("closed")
            if found is not None:
                name, data = found
                return Packet(data, name)
            try:
                async with asyncio.timeout(self._folder.pace.period):
                    await self._closed.wait()
            except TimeoutError:
                continue

    async def _look(self) -> tuple[str, bytes] | None:
        """One look at the folder. When the caller is cancelled the look goes on, and the next call gets its result."""
        if self._closed.is_set():
            raise LinkLostError("closed")
        if self._job is None:
            look = self._blocking.run(self._folder.next_file, self._clock.monotonic())
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
        """Stop looking; a pending `read` raises. Files handed over just before stay and are read again after `open`."""
        self._closed.set()
        job, self._job = self._job, None
        if job is not None:
            await asyncio.gather(job, return_exceptions=True)
