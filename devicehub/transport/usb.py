"""USB through libusb (pyusb): one worker thread per device, because every libusb call blocks.

The thread serves what the protocol asks for, in order: control transfers, writes and cleared halts
as they come; reads wait in turn, one per endpoint, each for the link's time-out at a time, so that
a write is never held up longer than that. Nothing is read that the protocol did not ask for. A device
that nothing is asked of is looked at once a second, because no transfer fails when it is unplugged.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from threading import Condition, Thread

import usb.backend

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.errors import LinkError, LinkLostError, LinkPermissionError
from devicehub.transport.blocking import Blocking
from devicehub.transport.link import LinkIdentity
from devicehub.transport.usb_device import ClaimedDevice, Transfer, parse_transfer
from devicehub.transport.usb_find import UsbMatch
from devicehub.wire.packet import Packet

QUEUE_LIMIT = 256
READ_LIMIT = 64
RIGHTS_ATTEMPTS = 3
RIGHTS_WAIT = 0.2
LEAST_TIMEOUT = 0.02
LOOK = 1.0

__all__ = ["UsbMatch", "UsbTransport"]


class _PendingReads:
    """Reads asked for and not yet answered: first in, first out per endpoint, endpoints in turn."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[int, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, endpoint: int, size: int) -> None:
        """Ask. Raises `LinkLostError` when a protocol asks for more than it can ever take."""
        waiting = self._sizes.setdefault(endpoint, deque())
        if len(waiting) >= READ_LIMIT:
            raise LinkLostError(f"more than {READ_LIMIT} reads are pending on endpoint {endpoint:02x}")
        waiting.append(size)

    def next(self) -> tuple[int, int]:
        """Endpoint and size of the read whose turn it is."""
        endpoint = next(iter(self._sizes))
        self._sizes.move_to_end(endpoint)
        return endpoint, self._sizes[endpoint][0]

    def forget(self, endpoint: int) -> None:
        """Nobody wants what was asked for at an endpoint any more."""
        self._sizes.pop(endpoint, None)

    def answered(self, endpoint: int) -> None:
        """The oldest read of an endpoint is done."""
        self._sizes[endpoint].popleft()
        if not self._sizes[endpoint]:
            del self._sizes[endpoint]


class UsbTransport:
    """An open USB link. Get one with `open`."""

    def __init__(
        self, link: UsbLink, match: UsbMatch, backend: usb.backend.IBackend | None, held: type[ClaimedDevice]
    ) -> None:
        self.identity = LinkIdentity()
        self._held = held
        self._link = link
        self._match = match
        self._backend = backend
        self._changed = Condition()
        self._requests: deque[Transfer] = deque()
        self._arrived: deque[Packet] = deque()
        self._closing = False
        self._lost: LinkError | None = None
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._thread = Thread(target=self._work, name="usb", daemon=True)

    @classmethod
    async def open(
        cls,
        link: UsbLink,
        *,
        match: UsbMatch | None = None,
        backend: usb.backend.IBackend | None = None,
        clock: Clock,
        blocking: Blocking | None = None,
        held: type[ClaimedDevice] = ClaimedDevice,
    ) -> "UsbTransport":
        """Find, claim and start serving a device.

        `blocking`: of the device, shared by all its attempts. `held`: how it is held. Raises `LinkMissingError`,
        `LinkBusyError`, `LinkPermissionError`, and `LinkError` when several devices match or libusb is not installed.
        """
        blocking = blocking or Blocking("usb")
        for attempt in range(1, RIGHTS_ATTEMPTS + 1):
            transport = cls(link, match or UsbMatch(), backend, held)
            blocking.employ(transport._thread)
            try:
                await transport._opened
            except asyncio.CancelledError:
                transport._stop()
                raise
            except LinkError as error:
                transport._thread.join()
                # udev sets the rights of a new device a moment after it appears.
                if attempt == RIGHTS_ATTEMPTS or not isinstance(error, LinkPermissionError):
                    raise
                await clock.sleep(RIGHTS_WAIT)
            else:
                return transport
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read(self) -> Packet:
        """The next packet from the device. Cancelling loses nothing. Raises `LinkLostError`."""
        while True:
            with self._changed:
                if self._arrived:
                    packet = self._arrived.popleft()
                    self._changed.notify_all()
                    return packet
                if self._lost is not None:
                    raise self._lost
                self._readable.clear()
            await self._readable.wait()

    async def write(self, packet: Packet) -> None:
        """Ask for a transfer; waits while the queue is full. Raises `LinkLostError`, `ValueError` for a bad port."""
        transfer = parse_transfer(packet)
        while True:
            with self._changed:
                if self._lost is not None:
                    raise self._lost
                if len(self._requests) < QUEUE_LIMIT:
                    self._requests.append(transfer)
                    self._changed.notify_all()
                    return
                self._writable.clear()
            await self._writable.wait()

    async def close(self) -> None:
        """Give the device back. The worker thread has ended when this returns."""
        self._stop()
        await self._ended.wait()
        self._thread.join()

    def _stop(self) -> None:
        with self._changed:
            self._closing = True
            self._lost = self._lost or LinkLostError("closed")
            self._changed.notify_all()
        self._wake()

    def _wake(self) -> None:
        self._readable.set()
        self._writable.set()

    # What follows runs in the worker thread.

    def _post(self, error: LinkError | None = None) -> None:
        """Wake the loop's side; the first time, tell `open` how it went."""
        with contextlib.suppress(RuntimeError):  # the loop was closed without closing the link
            self._loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: LinkError | None) -> None:
        if self._opened.done():
            self._wake()
        elif error is None:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(error)

    def _work(self) -> None:
        failed: LinkError | None = LinkError("the USB worker thread failed")
        try:
            device = self._held.open(self._link, self._match, self._backend)
            failed = None
        except LinkError as error:
            failed = error
            return
        finally:
            if failed is not None:
                self._post(failed)
        self.identity = device.identity
        try:
            self._post()
            self._serve(device)
        except LinkError as error:
            self._end(error)
        finally:
            self._end(LinkLostError("closed"))
            device.release()
            with contextlib.suppress(RuntimeError):  # as in _post
                self._loop.call_soon_threadsafe(self._ended.set)

    def _end(self, error: LinkError) -> None:
        with self._changed:
            self._lost = self._lost or error
        self._post()

    def _serve(self, device: ClaimedDevice) -> None:
        reads = _PendingReads()
        while not self._closing:
            transfer = self._take(wait=not reads)
            if transfer is not None and transfer.kind == "in":
                reads.add(*transfer.numbers)
            elif transfer is not None:
                if transfer.kind == "halt":
                    reads.forget(transfer.numbers[0])
                self._deliver(device.perform(transfer, self._link.timeout))
            elif reads:
                endpoint, size = reads.next()
                packet = device.read(endpoint, size, max(self._link.timeout / len(reads), LEAST_TIMEOUT))
                if packet is not None:
                    reads.answered(endpoint)
                    self._deliver(packet)
            else:
                device.look()

    def _take(self, *, wait: bool) -> Transfer | None:
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._requests or self._closing, LOOK)
            if not self._requests:
                return None
            transfer = self._requests.popleft()
            was_full = len(self._requests) == QUEUE_LIMIT - 1
        if was_full:
            self._post()
        return transfer

    def _deliver(self, packet: Packet | None) -> None:
        if packet is None:
            return
        with self._changed:
            while len(self._arrived) >= QUEUE_LIMIT and not self._closing:
                self._changed.wait()
            self._arrived.append(packet)
        self._post()
