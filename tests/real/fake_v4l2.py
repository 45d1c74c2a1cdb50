"""A kernel with simulated cameras: V4L2 and evdev system calls over `VideoSimulator`s, and their sysfs.

Offsets are written here from `linux/videodev2.h`, independently of the code under test.
"""

import asyncio
import errno
import mmap
import os
import socket
import struct
from collections import deque
from pathlib import Path
from threading import Event
from typing import Self

from devicehub.simulator import VideoSimulator

BUFFERS_GIVEN = 3


def _fail(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class FakeNode:
    """A device node; its descriptor is one end of a socket pair, readable while a byte waits in it."""

    def __init__(self) -> None:
        self.theirs, self.ours = socket.socketpair()
        self.theirs.settimeout(0)
        self.gone = False

    def ioctl(self, request: int, argument: bytearray) -> None:
        raise _fail(errno.ENOTTY)

    def read(self, size: int) -> bytes:
        raise _fail(errno.EINVAL)

    def yank(self) -> None:
        """Unplug: poll reports it and every call says ENODEV."""
        self.gone = True
        self.ours.send(b"!")

    def finish(self) -> None:
        self.ours.close()
        self.theirs.close()


class FakeButton(FakeNode):
    """The input device of the snapshot button."""

    def __init__(self) -> None:
        super().__init__()
        self._events: deque[bytes] = deque()

    def report(self, code: int, value: int) -> None:
        for kind, number, state in ((1, code, value), (0, 0, 0)):
            self._events.append(struct.pack("<qqHHi", 0, 0, kind, number, state))
        self.ours.send(b".")

    def read(self, size: int) -> bytes:
        if not self._events:
            raise BlockingIOError(errno.EAGAIN, "again")
        self.theirs.recv(64)
        data = b"".join(self._events)
        self._events.clear()
        return data[:size]


class FakeMetadata(FakeNode):
    """uvcvideo's second node, which carries no pictures."""

    def ioctl(self, request: int, argument: bytearray) -> None:
        if request != 0x80685600:
            raise _fail(errno.ENOTTY)
        struct.pack_into("<II", argument, 84, 0x84A00001, 0x04A00000)


class FakeCamera(FakeNode):
    """A capture node over a simulator. `tick` lets time pass in the camera."""

    def __init__(self, simulator: VideoSimulator, button: FakeButton | None = None) -> None:
        super().__init__()
        self.simulator = simulator
        self.button = button
        self.selected: tuple[str, int, int] | None = None
        self.stubborn = self.busy = self.damaging = False
        self.buffers: list[mmap.mmap] = []
        self._queued: deque[int] = deque()
        self._done: deque[tuple[int, int, int, int]] = deque()
        self._sequence = 0
        self.streaming = False
        self.emptied = asyncio.Event()
        self._calls = {
            0x80685600: self._querycap,
            0xC0405602: self._enum_fmt,
            0xC02C564A: self._enum_framesizes,
            0xC0D05605: self._s_fmt,
            0xC0CC5616: self._s_parm,
            0xC0145608: self._reqbufs,
            0xC0585609: self._querybuf,
            0xC058560F: self._qbuf,
            0xC0585611: self._dqbuf,
            0x40045612: self._streamon,
            0x40045613: self._streamoff,
        }

    def tick(self, dt: float) -> None:
        """Frames go into queued buffers; without one they are lost, and the sequence number shows it."""
        self.emptied.clear()
        for frame in self.simulator.advance(dt):
            sequence, self._sequence = self._sequence, self._sequence + 1
            if not (self.streaming and self._queued):
                continue
            index = self._queued.popleft()
            self.buffers[index][: len(frame)] = frame
            flags = 0x40 if self.damaging else 0
            self._done.append((index, len(frame), flags, sequence))
            self.ours.send(b".")
        for pressed in self.simulator.buttons():
            if self.button is not None:
                self.button.report(0xD4, int(pressed))

    def ioctl(self, request: int, argument: bytearray) -> None:
        self._calls[request](argument)

    def _querycap(self, argument: bytearray) -> None:
        argument[16:48] = self.simulator.title.encode().ljust(32, b"\0")
        struct.pack_into("<II", argument, 84, 0x84A00001, 0x04200001)

    def _fourccs(self) -> list[str]:
        return list(dict.fromkeys(known[0] for known in self.simulator.formats))

    def _enum_fmt(self, argument: bytearray) -> None:
        index, kind = struct.unpack_from("<II", argument)
        if kind != 1 or index >= len(self._fourccs()):
            raise _fail(errno.EINVAL)
        argument[44:48] = self._fourccs()[index].encode()

    def _enum_framesizes(self, argument: bytearray) -> None:
        index, fourcc = struct.unpack_from("<I4s", argument)
        sizes = [known[1:3] for known in self.simulator.formats if known[0] == fourcc.decode()]
        if index >= len(sizes):
            raise _fail(errno.EINVAL)
        struct.pack_into("<III", argument, 8, 1, *sizes[index])

    def _s_fmt(self, argument: bytearray) -> None:
        kind, width, height, fourcc = struct.unpack_from("<I4xII4s", argument)
        if kind != 1:
            raise _fail(errno.EINVAL)
        if self.busy:
            raise _fail(errno.EBUSY)
        wanted = (fourcc.decode(), width, height)
        if self.stubborn or wanted not in {known[:3] for known in self.simulator.formats}:
            wanted = self.simulator.formats[0][:3]
        self.selected = wanted
        self.simulator.select(*wanted)
        struct.pack_into("<II4sIII", argument, 8, wanted[1], wanted[2], wanted[0].encode(), 1, 0, self._size())

    def _size(self) -> int:
        assert self.selected is not None
        return self.selected[1] * self.selected[2] * 2

    def _s_parm(self, argument: bytearray) -> None:
        assert self.selected is not None
        fps = next(known[3] for known in self.simulator.formats if known[:3] == self.selected)
        struct.pack_into("<II", argument, 12, 10_000_000, round(fps * 10_000_000))

    def _reqbufs(self, argument: bytearray) -> None:
        if struct.unpack_from("<II", argument, 4) != (1, 1):
            raise _fail(errno.EINVAL)
        struct.pack_into("<I", argument, 0, BUFFERS_GIVEN)

    def _querybuf(self, argument: bytearray) -> None:
        index = self._index(argument)
        struct.pack_into("<I4xI", argument, 64, index * 0x100000, self._size())

    def _index(self, argument: bytearray) -> int:
        index, kind = struct.unpack_from("<II", argument)
        (memory,) = struct.unpack_from("<I", argument, 60)
        if (kind, memory) != (1, 1) or index >= BUFFERS_GIVEN:
            raise _fail(errno.EINVAL)
        return int(index)

    def map(self, length: int, offset: int) -> mmap.mmap:
        assert offset == len(self.buffers) * 0x100000
        backing = os.memfd_create("buffer")
        os.ftruncate(backing, length)
        self.buffers.append(mmap.mmap(backing, length))
        theirs = mmap.mmap(backing, length)
        os.close(backing)
        return theirs

    def _qbuf(self, argument: bytearray) -> None:
        self._queued.append(self._index(argument))

    def _dqbuf(self, argument: bytearray) -> None:
        self._index(argument)
        if not self._done:
            raise BlockingIOError(errno.EAGAIN, "again")
        self.theirs.recv(1)
        index, used, flags, sequence = self._done.popleft()
        struct.pack_into("<IIII", argument, 0, index, 1, used, flags)
        struct.pack_into("<I", argument, 56, sequence)
        if not self._done:
            self.emptied.set()

    def _streamon(self, argument: bytearray) -> None:
        if not self._queued:
            raise _fail(errno.EINVAL)
        self.streaming = True

    def _streamoff(self, argument: bytearray) -> None:
        self.streaming = False


class FakeKernel:
    """Nodes below `dev`, their descriptions below `sysfs`. Used as a context: at the end nothing may be open."""

    def __init__(self, root: Path) -> None:
        self.platform = "linux"
        self.sysfs, self.dev = root / "sys", root / "dev"
        (self.sysfs / "class" / "video4linux").mkdir(parents=True)
        (self.sysfs / "class" / "input").mkdir(parents=True)
        self.refusals: dict[str, int] = {}
        self.hold: Event | None = None
        self.released = Event()
        self._nodes: dict[str, FakeNode] = {}
        self.open_fds: dict[int, FakeNode] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes.values():
            node.finish()
        assert not self.open_fds, f"left open: {self.open_fds}"

    def plug(self, node: FakeNode, name: str, port: str = "1-1", usb: str = "1908:2311", serial: str = "") -> str:
        """Add a node; the path of its device file. Nodes of one `port` are one USB device."""
        folder = self.sysfs / "devices" / "usb1" / port
        kind = "input" if isinstance(node, FakeButton) else "video4linux"
        inner = folder / f"{port}:1.0" / kind / ("input3" if kind == "input" else "") / name
        inner.mkdir(parents=True)
        (folder / "idVendor").write_text(usb[:4] + "\n")
        (folder / "idProduct").write_text(usb[5:] + "\n")
        if serial:
            (folder / "serial").write_text(serial + "\n")
        if kind == "input":
            (inner.parent / "phys").write_text(f"usb-0000:00:14.0-{port[2:]}/button\n")
            (inner / "device").symlink_to(inner.parent)
        (self.sysfs / "class" / kind / name).symlink_to(inner)
        path = str(self.dev / "input" / name if kind == "input" else self.dev / name)
        self._nodes[path] = node
        return path

    def open(self, path: str, flags: int) -> int:
        if self.hold is not None:
            self.hold.wait(10)
        assert flags & os.O_NONBLOCK
        if path in self.refusals:
            raise _fail(self.refusals[path])
        if path not in self._nodes:
            raise _fail(errno.ENOENT)
        fd = os.dup(self._nodes[path].theirs.fileno())
        self.open_fds[fd] = self._nodes[path]
        return fd

    def close(self, fd: int) -> None:
        del self.open_fds[fd]
        os.close(fd)
        self.released.set()

    def read(self, fd: int, size: int) -> bytes:
        return self._living(fd).read(size)

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        self._living(fd).ioctl(request, argument)

    def map(self, fd: int, length: int, offset: int) -> mmap.mmap:
        node = self._living(fd)
        assert isinstance(node, FakeCamera)
        return node.map(length, offset)

    def _living(self, fd: int) -> FakeNode:
        node = self.open_fds[fd]
        if node.gone:
            raise _fail(errno.ENODEV)
        return node
