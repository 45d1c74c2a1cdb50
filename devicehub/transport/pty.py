"""A simulated serial device behind a real pseudo-terminal: what opens it cannot tell it from a tty.

Used by the demonstration and by tests of the shipped serial transport. POSIX only.
"""

import asyncio
import errno
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from devicehub.clock import Clock
from devicehub.simulator import SerialSimulator

TICK = 0.05
_CHUNK = 4096
_UNSENT = 64 * 1024


class SimulatedLine:
    """One device and its line.

    `plug` powers a fresh device up, `unplug` yanks it: the host sees a hang-up. `path` is what the
    host opens: a symbolic link that survives replugging when `link` was given, else the terminal.
    As on a UART that nobody has opened, what the device says while no host is there is lost, and so
    is what a host does not fetch before the device's 64 KiB of output are full (`overruns` counts).
    """

    def __init__(
        self, make: Callable[[], SerialSimulator], clock: Clock, *, link: Path | None = None, baud: int | None = None
    ) -> None:
        """`make` gives the device a fresh power-up; `baud` holds its output to that rate, 10 bits a byte."""
        self._make = make
        self._clock = clock
        self._link = link
        self._baud = baud
        self._master: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._unsent = bytearray()
        self._allowance = 0.0
        self._watched = False
        self.path = ""
        self.overruns = 0
        self.simulator = make()

    @property
    def plugged(self) -> bool:
        """The device is there."""
        return self._master is not None

    def plug(self) -> None:
        """Power the device up on a new pseudo-terminal. Does nothing when it is plugged already."""
        if self._master is not None:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        terminal = os.ttyname(slave)
        # With no open slave the master reports a hang-up: that is how the line knows that no host is there.
        os.close(slave)
        os.set_blocking(master, False)
        self._master = master
        self.simulator = self._make()
        self.path = str(self._link or terminal)
        if self._link is not None:
            _point(self._link, terminal)
        self._task = asyncio.get_running_loop().create_task(self._run(master))

    def unplug(self) -> None:
        """Yank the device. Does nothing when it is not plugged."""
        master, self._master = self._master, None
        if master is None:
            return
        if self._task is not None:
            self._task.cancel()
        loop = asyncio.get_running_loop()
        loop.remove_reader(master)
        loop.remove_writer(master)
        os.close(master)
        self._watched = False
        self._unsent.clear()
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    async def close(self) -> None:
        """Unplug for good. Raises whatever the simulator raised."""
        self.unplug()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def _run(self, master: int) -> None:
        last = self._clock.monotonic()
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.monotonic()
            said = self.simulator.advance(now - last)
            if self._baud is not None:
                self._allowance = min(self._allowance + (now - last) * self._baud / 10, self._baud / 10)
            last = now
            if self._host_present(master):
                self._say(master, said)

    def _host_present(self, master: int) -> bool:
        """Look whether a host has the terminal open, and watch it while it has."""
        poll = select.poll()
        poll.register(master, select.POLLIN)
        gone = any(events & select.POLLHUP for _, events in poll.poll(0))
        if gone:
            self._host_left(master)
        elif not self._watched:
            self._watched = True
            asyncio.get_running_loop().add_reader(master, self._on_readable, master)
        return not gone

    def _host_left(self, master: int) -> None:
        if not self._watched:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(master)
        loop.remove_writer(master)
        self._watched = False
        self._unsent.clear()
        termios.tcflush(master, termios.TCIOFLUSH)

    def _on_readable(self, master: int) -> None:
        try:
            data = os.read(master, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._host_left(master)
            return
        answer = self.simulator.on_bytes(data)
        if self._host_present(master):
            self._say(master, answer)

    def _say(self, master: int, data: bytes) -> None:
        room = _UNSENT - len(self._unsent)
        self.overruns += max(len(data) - room, 0)
        self._unsent += data[:room]
        self._send(master)

    def _send(self, master: int) -> None:
        allowed = len(self._unsent) if self._baud is None else min(int(self._allowance), len(self._unsent))
        loop = asyncio.get_running_loop()
        try:
            sent = os.write(master, self._unsent[:allowed]) if allowed else 0
        except BlockingIOError:
            sent = 0
        del self._unsent[:sent]
        self._allowance -= sent if self._baud is not None else 0
        if sent < allowed:
            loop.add_writer(master, self._send, master)
        else:
            loop.remove_writer(master)


def _point(link: Path, terminal: str) -> None:
    """Make `link` a symbolic link to `terminal`, replacing an old one in one step."""
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(terminal)
    fresh.replace(link)
