"""Moves bytes between an open pyserial port and the event loop.

`DescriptorPump`: the loop watches the descriptor; no thread, the kernel's buffer is the back-pressure.
`ThreadPump`: one reader thread, for `socket://`, `rfc2217://` and platforms whose loop cannot watch
a serial port.
"""

import asyncio
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import serial

from devicehub.clock import Clock
from devicehub.model.errors import LinkBusyError, LinkError, LinkLostError
from devicehub.transport.blocking import Blocking

CHUNK = 64 * 1024
BACKLOG = 1024 * 1024
PATIENCE = 5.0
LINGER = 0.5
_POLL = 0.1
_TICK = 0.02


def _system_errors() -> tuple[type[Exception], ...]:
    """What the system says no with: `termios.error` is no `OSError`."""
    try:
        import termios  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return (OSError,)
    return (OSError, termios.error)


SYSTEM_ERRORS: Final = _system_errors()
# What pyserial lets out of a read whose port is closed meanwhile or whose server sends nonsense.
_READ_ERRORS: Final[tuple[type[Exception], ...]] = (*SYSTEM_ERRORS, ValueError, TypeError)


class Inbox:
    """What has arrived and was not read yet, and why the link ended. Used on the loop only."""

    def __init__(self, resume: Callable[[], None]) -> None:
        """`resume` is called when a full inbox has room again."""
        self._resume = resume
        self._bytes = bytearray()
        self._changed = asyncio.Event()
        self.lost: LinkError | None = None

    @property
    def full(self) -> bool:
        """No more may be read from the port for now."""
        return len(self._bytes) >= BACKLOG

    def push(self, data: bytes) -> None:
        """Some bytes arrived."""
        self._bytes += data
        self._changed.set()

    def lose(self, error: LinkError) -> None:
        """The link ended; the first reason stays."""
        self.lost = self.lost or error
        self._changed.set()

    async def take(self) -> bytes:
        """All that arrived since the last call, at most 64 KiB. Raises the `LinkError` once nothing is left."""
        while not self._bytes:
            if self.lost is not None:
                raise self.lost
            self._changed.clear()
            await self._changed.wait()
        was_full = self.full
        data = bytes(self._bytes[:CHUNK])
        del self._bytes[:CHUNK]
        if was_full and not self.full:
            self._resume()
        return data


class Pump(Protocol):
    """Feeds an inbox from a port and writes to the port."""

    inbox: Inbox

    def start(self) -> None:
        """Begin to read."""
        ...

    async def write(self, data: bytes) -> None:
        """Write in full. Raises `LinkLostError`."""
        ...

    async def close(self) -> None:
        """Give the port back. Never raises, may be called twice."""
        ...


class DescriptorPump:
    """The loop reads and writes a non-blocking descriptor."""

    def __init__(self, port: serial.Serial, clock: Clock) -> None:
        """`port` is open."""
        self._port = port
        self._clock = clock
        self._fd = port.fileno()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._writing = asyncio.Lock()
        self._ready = asyncio.Event()
        self.inbox = Inbox(self._watch)

    def start(self) -> None:
        """Watch the descriptor."""
        os.set_blocking(self._fd, False)
        self._watch()

    def _watch(self) -> None:
        if self._open and self.inbox.lost is None:
            self._loop.add_reader(self._fd, self._on_readable)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(f"the port broke: {error.strerror}")
            return
        if data:
            self.inbox.push(data)
            if self.inbox.full:
                self._loop.remove_reader(self._fd)
        elif _hung_up(self._fd):
            self._lose("the device hung up or was unplugged")

    def _lose(self, why: str) -> None:
        self._loop.remove_reader(self._fd)
        self.inbox.lose(LinkLostError(why))

    async def write(self, data: bytes) -> None:
        """Write in full; the device has five seconds and the time the line needs. Raises `LinkLostError`."""
        patience = PATIENCE + len(data) * 10 / self._port.baudrate
        async with self._writing:
            try:
                async with asyncio.timeout(patience):
                    await self._write_all(memoryview(data))
            except TimeoutError:
                raise LinkLostError(f"the device took no more data for {patience:.1f} s (flow control?)") from None

    async def _write_all(self, data: memoryview) -> None:
        while data:
            if self.inbox.lost is not None:
                raise self.inbox.lost
            try:
                data = data[os.write(self._fd, data) :]
            except (BlockingIOError, InterruptedError):
                await self._writable()
            except OSError as error:
                self._lose(f"the port broke: {error.strerror}")

    async def _writable(self) -> None:
        self._ready.clear()
        self._loop.add_writer(self._fd, self._ready.set)
        try:
            await self._ready.wait()
        finally:
            if self._open:
                self._loop.remove_writer(self._fd)

    async def close(self) -> None:
        """Let the last bytes out for at most half a second, then close. Never raises, may be called twice."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._ready.set()
        alive = self.inbox.lost is None
        self.inbox.lose(LinkLostError("closed"))
        try:
            if alive:
                await self._drained()
        finally:
            # A hung-up line refuses the flush; without it closing a stuck line blocks for 30 s in the kernel.
            with suppress(*SYSTEM_ERRORS):
                self._port.reset_output_buffer()
            with suppress(OSError):
                self._port.close()

    async def _drained(self) -> None:
        until = self._clock.monotonic() + LINGER
        with suppress(OSError):
            while self._port.out_waiting and self._clock.monotonic() < until:
                await self._clock.sleep(_TICK)


def _hung_up(fd: int) -> bool:
    """True when a read of nothing means the end; a raw terminal may also have been read empty."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


class ThreadPump:
    """One thread reads with short timeouts; writes run in the device's other one, never two at once."""

    def __init__(self, port: serial.Serial, read: Callable[[serial.Serial], bytes], blocking: Blocking) -> None:
        """`port` is open; `read` waits at most a tenth of a second and returns what there is."""
        self._port = port
        self._read = read
        self._blocking = blocking
        self._writing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._room = threading.Event()
        self._room.set()
        self._using = threading.Lock()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"read {port.port}", daemon=True)
        self.inbox = Inbox(self._room.set)

    def start(self) -> None:
        """Start the reader thread."""
        self._thread.start()

    def _run(self) -> None:
        why = "closed"
        try:
            while not self._stop.is_set():
                if self._room.wait(_POLL) and (data := self._read(self._port)):
                    self._room.clear()
                    self._tell(self._arrived, data)
        except _READ_ERRORS as error:
            why = f"the connection broke: {error}"
        finally:
            with self._using:
                self._stop.set()
                with suppress(OSError):
                    self._port.close()
            self._tell(self._finish, why)

    def _tell(self, what: Callable[..., None], *args: bytes | str) -> None:
        # The loop is gone when its owner left without closing the link; then nobody listens.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *args)

    def _arrived(self, data: bytes) -> None:
        self.inbox.push(data)
        if not self.inbox.full:
            self._room.set()

    def _finish(self, why: str) -> None:
        self.inbox.lose(LinkLostError(why))
        self._ended.set()

    async def write(self, data: bytes) -> None:
        """Write in full; pyserial's own time limit holds. Raises `LinkLostError`."""
        if self.inbox.lost is not None:
            raise self.inbox.lost
        try:
            async with self._writing:
                await self._blocking.run(self._write, data)
        except LinkBusyError as error:
            raise LinkLostError(str(error)) from error
        except (OSError, ValueError) as error:
            raise LinkLostError(f"the connection broke: {error}") from error

    def _write(self, data: bytes) -> None:
        with self._using:
            if self._stop.is_set():
                raise serial.PortNotOpenError
            self._port.write(data)

    async def close(self) -> None:
        """Stop the thread and wait for it; it closes the port. Never raises, may be called twice."""
        self._stop.set()
        self._room.set()
        await self._ended.wait()
        self._thread.join()


def read_socket(port: serial.Serial) -> bytes:
    """What a `socket://` port opened with timeout 0 has within a tenth of a second."""
    ready, _, _ = select.select([port.fileno()], [], [], _POLL)
    return port.read(CHUNK) if ready else b""


def read_counted(port: serial.Serial) -> bytes:
    """What a port with a short timeout and a true count of waiting bytes has."""
    first = port.read(1)
    return first + port.read(min(port.in_waiting, CHUNK - 1)) if first else b""
