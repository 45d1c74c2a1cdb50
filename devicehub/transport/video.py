"""Cameras through Video4Linux2: frames as packets, the snapshot button, and a watchdog over every frame.

The loop reads the camera's descriptor; only opening and closing, which block, run in a thread. The newest
frames win: when nobody reads, older ones are dropped and counted. A camera that sends nothing for
three frame intervals (at least 1 s; 5 s for the first frame) counts as lost: a yanked camera does not
always say so.
"""

import asyncio
import contextlib
import logging
import os
import struct
from collections import deque
from pathlib import Path

from devicehub.clock import Clock
from devicehub.driver import VideoLink
from devicehub.model.errors import LinkError, LinkLostError, LinkMissingError
from devicehub.transport.blocking import Blocking
from devicehub.transport.cameras import Camera, button_edges, describe_camera, find_button, find_cameras
from devicehub.transport.link import LinkIdentity
from devicehub.transport.v4l2 import BUFFERS, Capture, Kernel, LinuxKernel
from devicehub.wire.packet import Packet, frame_port

FIRST_FRAME = 5.0
LEAST_DEADLINE = 1.0
FRAME_QUEUE = 2
NOTICE_QUEUE = 64
_EVENTS_AT_ONCE = 64 * 24

_log = logging.getLogger(__name__)


class _Opened:
    """What opening gives: a streaming camera and its button's descriptor, if it has one."""

    def __init__(self, kernel: Kernel, camera: Camera, capture: Capture, button: int | None) -> None:
        self.kernel = kernel
        self.camera = camera
        self.capture = capture
        self.button = button

    def stop(self) -> None:
        """Give both back. Never raises."""
        if self.button is not None:
            with contextlib.suppress(OSError):
                self.kernel.close(self.button)
        self.capture.stop()


class VideoTransport:
    """An open camera. Get one with `open`. `dropped`: packets nobody read in time; `missed`: the kernel's."""

    def __init__(self, opened: _Opened, clock: Clock, blocking: Blocking) -> None:
        camera, capture = opened.camera, opened.capture
        self.identity = LinkIdentity(usb=camera.usb, serial=camera.serial, address=camera.port, path=camera.node)
        self.format = capture.format
        self.dropped = self.missed = 0
        self._opened = opened
        self._clock = clock
        self._blocking = blocking
        self._loop = asyncio.get_running_loop()
        self._port = frame_port(self.format.fourcc, self.format.width, self.format.height)
        self._frames: deque[Packet] = deque()
        self._notices: deque[Packet] = deque()
        self._arrived = asyncio.Event()
        self._lost: LinkLostError | None = None
        self._sequence: int | None = None
        self._closing: asyncio.Task[None] | None = None
        self._allowed = FIRST_FRAME
        self._deadline = clock.monotonic() + self._allowed
        self._watch = self._loop.call_at(self._deadline, self._check)
        self._loop.add_reader(capture.fd, self._on_frame)
        if opened.button is not None:
            self._loop.add_reader(opened.button, self._on_button, opened.button)

    @classmethod
    async def open(
        cls,
        link: VideoLink,
        *,
        path: str = "",
        serial: str = "",
        clock: Clock,
        kernel: Kernel | None = None,
        blocking: Blocking | None = None,
    ) -> "VideoTransport":
        """Find a camera by `path`, or by the link's USB ids and `serial`, and start it in the first format it has.

        Without a path and without ids any camera that has the format will do. `blocking`: of the device, shared by
        all its attempts. Raises `LinkMissingError`, `LinkPermissionError`, `LinkBusyError`, and `LinkError` where
        cameras cannot work at all.
        """
        blocking = blocking or Blocking(path or "camera")
        opened = await blocking.run(_open, kernel or LinuxKernel(), link, path, serial, undo=_Opened.stop)
        return cls(opened, clock, blocking)

    async def read(self) -> Packet:
        """The next packet: notices first, then frames. Cancelling loses nothing. Raises `LinkLostError`."""
        while not (self._notices or self._frames):
            if self._lost is not None:
                raise self._lost
            self._arrived.clear()
            await self._arrived.wait()
        return (self._notices or self._frames).popleft()

    async def write(self, packet: Packet) -> None:
        """A camera takes nothing: settings stay as they are. Raises `LinkLostError`, else `LinkError`."""
        if self._lost is not None:
            raise self._lost
        raise LinkError(f"{self.identity.path}: a camera takes no packets ({packet.port[:40]})")

    async def close(self) -> None:
        """Give the camera back; it may be gone already."""
        self._lose("closed")
        if self._closing is None:
            self._closing = asyncio.create_task(self._blocking.run(self._opened.stop))
        await asyncio.shield(self._closing)

    def _lose(self, why: str) -> None:
        """End the link once: what had arrived can still be read, then `read` raises."""
        if self._lost is not None:
            return
        self._lost = LinkLostError(f"{self.identity.path}: {why}")
        self._watch.cancel()
        self._loop.remove_reader(self._opened.capture.fd)
        if self._opened.button is not None:
            self._loop.remove_reader(self._opened.button)
        self._arrived.set()

    def _check(self) -> None:
        """The watchdog. Frames only move the deadline; the timer follows it."""
        if self._clock.monotonic() < self._deadline:
            self._watch = self._loop.call_at(self._deadline, self._check)
        else:
            self._lose(f"no frame for {self._allowed:g} s")

    def _on_frame(self) -> None:
        try:
            for _ in range(BUFFERS):
                frame = self._opened.capture.dequeue()
                if frame is None:
                    return
                self._count(frame.sequence)
                if frame.damaged:
                    self._notice(Packet(b"", "frame-error"))
                else:
                    self._frame(frame.data)
        except LinkLostError as error:
            self._lose(str(error).removeprefix(f"{self.identity.path}: "))

    def _frame(self, data: bytes) -> None:
        allowed = max(3 / self.format.fps, LEAST_DEADLINE)
        self._deadline = self._clock.monotonic() + allowed
        if allowed != self._allowed:  # the first frame: the timer still stands at its longer deadline
            self._allowed = allowed
            self._watch.cancel()
            self._watch = self._loop.call_at(self._deadline, self._check)
        if len(self._frames) >= FRAME_QUEUE:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(Packet(data, self._port))
        self._arrived.set()

    def _notice(self, packet: Packet) -> None:
        if len(self._notices) >= NOTICE_QUEUE:
            self._notices.popleft()
            self.dropped += 1
        self._notices.append(packet)
        self._arrived.set()

    def _count(self, sequence: int) -> None:
        if self._sequence is not None:
            self.missed += (sequence - self._sequence - 1) % (1 << 32)
        self._sequence = sequence

    def _on_button(self, fd: int) -> None:
        try:
            data = self._opened.kernel.read(fd, _EVENTS_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"button: {os.strerror(error.errno or 0)}")
            return
        for pressed in button_edges(data):
            self._notice(Packet(bytes([pressed]), "key"))


def _open(kernel: Kernel, link: VideoLink, path: str, serial: str) -> _Opened:
    """Blocking: try the cameras that match, in order, until one streams. Raises `LinkError`."""
    if not kernel.platform.startswith("linux") or struct.calcsize("P") != 8:
        raise LinkError(f"cameras need 64-bit Linux (Video4Linux2); this is {kernel.platform}")
    refused: LinkError | None = None
    for camera in _candidates(kernel, link, path, serial):
        try:
            capture = Capture.start(kernel, camera.node, link.formats)
        except LinkError as error:
            refused = _telling(refused, error)
        else:
            return _Opened(kernel, camera, capture, _open_button(kernel, camera) if link.button else None)
    raise refused or LinkMissingError(f"no camera {_wanted(link, serial)}")


def _telling(before: LinkError | None, after: LinkError) -> LinkError:
    """Which refusal to report: the first, but busy or forbidden says more than "cannot do that"."""
    if before is None or (type(before) is LinkError and type(after) is not LinkError):
        return after
    return before


def _wanted(link: VideoLink, serial: str) -> str:
    ids = " or ".join(str(each) for each in link.ids) or "of any kind"
    return f"{ids} with serial number {serial}" if serial else ids


def _candidates(kernel: Kernel, link: VideoLink, path: str, serial: str) -> list[Camera]:
    if path:
        known = describe_camera(kernel.sysfs, Path(path).resolve().name)
        return [Camera(path, known.usb, known.serial, known.port)]
    ids = {str(each) for each in link.ids}
    return [
        Camera(str(kernel.dev / camera.node), camera.usb, camera.serial, camera.port)
        for camera in find_cameras(kernel.sysfs)
        if (not ids or camera.usb in ids) and (not serial or camera.serial == serial)
    ]


def _open_button(kernel: Kernel, camera: Camera) -> int | None:
    """The button's descriptor. A camera without one, or whose button is forbidden, still gives pictures."""
    name = find_button(kernel.sysfs, camera) if camera.port else ""
    if not name:
        return None
    try:
        return kernel.open(str(kernel.dev / "input" / name), os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        _log.warning("%s: the snapshot button %s cannot be read: %s", camera.node, name, os.strerror(error.errno or 0))
        return None
