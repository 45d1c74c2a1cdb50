"""The sockets of the machine's virtual host controller, and the devices that are plugged into them.

Devices live in a thread of their own, as they do on a desk: whatever a test blocks, they go on. The controller is
Linux `drivers/usb/usbip/vhci_hcd`; nothing but its `attach` and `status` files and a pair of sockets is used.
"""

import asyncio
import socket
from collections import deque
from pathlib import Path
from typing import Self

from devicehub.clock import since_boot
from devicehub.simulator import StallError
from tests.vm.aside import Aside
from tests.vm.gadget import Gadget
from tests.vm.usbip import HEAD, OK, STALLED, UNLINKED, Submission, Unlinking, parse, submitted, unlinked

CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
FREE = 4
PATIENCE = 10.0


class Plugged:
    """A device in a socket, and the transfers that the host waits for."""

    def __init__(self, gadget: Gadget, port: int, ours: socket.socket) -> None:
        self.gadget = gadget
        self.port = port
        self._socket = ours
        self._waiting: dict[int, deque[Submission]] = {}

    async def connect(self) -> None:
        """Before anything else."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)

    async def serve(self) -> None:
        """Until the host or the device hangs up."""
        try:
            while True:
                request = parse(await self._reader.readexactly(HEAD))
                if isinstance(request, Unlinking):
                    self._unlink(request)
                    continue
                size = 0 if request.to_host else request.length
                self._submit(request, await self._reader.readexactly(size))
                self.answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()

    def hang_up(self) -> None:
        """Yank it."""
        self._writer.transport.abort()

    def answer(self) -> None:
        """Give what the device has for the transfers that wait."""
        for endpoint, waiting in self._waiting.items():
            while waiting:
                try:
                    data = self.gadget.give(endpoint, waiting[0].length)
                except StallError:
                    self._say(submitted(waiting.popleft(), STALLED))
                    continue
                if data is None:
                    break
                self._say(submitted(waiting.popleft(), OK, data))

    def _submit(self, request: Submission, data: bytes) -> None:
        endpoint = request.endpoint & 0x7F
        if endpoint and request.to_host:
            self._waiting.setdefault(request.endpoint, deque()).append(request)
            return
        try:
            if endpoint:
                self.gadget.take(request.endpoint, data)
                self._say(submitted(request, OK, taken=len(data)))
            else:
                self._say(submitted(request, OK, self.gadget.control(request.setup, data), len(data)))
        except StallError:
            self._say(submitted(request, STALLED))

    def _unlink(self, request: Unlinking) -> None:
        for waiting in self._waiting.values():
            for one in waiting:
                if one.number == request.of:
                    waiting.remove(one)
                    self._say(unlinked(request, UNLINKED))
                    return
        self._say(unlinked(request, OK))

    def _say(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)


class Sockets:
    """`with Sockets() as sockets: sockets.plug(...)`. Leaving it yanks everything."""

    def __init__(self, haste: float = 1.0) -> None:
        """`haste`: how many seconds pass for the devices in one of the machine's."""
        self._haste = haste
        self._plugged: dict[Plugged, asyncio.Task[None]] = {}
        self._aside = Aside(self._advance)
        self.do = self._aside.do

    def __enter__(self) -> Self:
        self._aside.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in list(self._plugged):
            self.unplug(one)
        self._aside.stop()

    def plug(self, gadget: Gadget, port: int | None = None) -> Plugged:
        """Put a device into a socket, by default the first free one."""
        port = min(free_ports()) if port is None else port
        ours, theirs = socket.socketpair()
        one = Plugged(gadget, port, ours)

        async def start() -> None:
            await one.connect()
            self._plugged[one] = asyncio.ensure_future(one.serve())

        self._aside.run(start())
        with theirs:
            line = f"{port} {theirs.fileno()} {port + 0x10001} {gadget.nature.speed}"
            (CONTROLLER / "attach").write_text(line)
        return one

    def unplug(self, one: Plugged) -> None:
        """Yank it. When this returns the socket is free for the next."""

        async def stop() -> None:
            one.hang_up()
            await self._plugged.pop(one)

        self._aside.run(stop())
        end = since_boot() + PATIENCE
        while one.port not in free_ports():
            assert since_boot() < end, f"socket {one.port} is not given back"

    def _advance(self, dt: float) -> None:
        for one in list(self._plugged):
            one.gadget.model.advance(dt * self._haste)
            one.answer()


def free_ports() -> set[int]:
    """The numbers of the high-speed sockets that nothing is in."""
    lines = [line.split() for line in (CONTROLLER / "status").read_text().splitlines()[1:]]
    return {int(words[1]) for words in lines if words[0] == "hs" and int(words[2]) == FREE}
