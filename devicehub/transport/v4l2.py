"""Video4Linux2 streaming capture with memory-mapped buffers: the system calls, nothing else.

Request numbers and structure offsets are those of the 64-bit Linux kernel interface (`linux/videodev2.h`,
`linux/input.h`); a test compiles them from the system's headers. Every call blocks except `dequeue`.
A foreign `OSError` becomes a `LinkError` here.
"""

import contextlib
import errno
import mmap
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from devicehub.driver import VideoFormat
from devicehub.model.errors import LinkBusyError, LinkError, LinkLostError, LinkMissingError, LinkPermissionError

QUERYCAP, ENUM_FMT, S_FMT, REQBUFS = 0x80685600, 0xC0405602, 0xC0D05605, 0xC0145608
QUERYBUF, QBUF, DQBUF = 0xC0585609, 0xC058560F, 0xC0585611
STREAMON, STREAMOFF, S_PARM, ENUM_FRAMESIZES = 0x40045612, 0x40045613, 0xC0CC5616, 0xC02C564A
VIDEO_CAPTURE, STREAMING, DEVICE_CAPS = 0x1, 0x04000000, 0x80000000
BUFFER_ERROR = 0x40
CAPTURE_TYPE = MMAP_MEMORY = DISCRETE = 1
BUFFERS = 4
MOST_LISTED = 64
LARGEST_BUFFER = 64 * 1024 * 1024
_U32 = struct.Struct("<I")

_ERRORS: tuple[tuple[frozenset[int], type[LinkError]], ...] = (
    (frozenset({errno.ENOENT, errno.ENXIO}), LinkMissingError),
    (frozenset({errno.EACCES, errno.EPERM}), LinkPermissionError),
    (frozenset({errno.EBUSY}), LinkBusyError),
    (frozenset({errno.ENODEV, errno.EIO}), LinkLostError),
)


class Kernel(Protocol):
    """The system calls that a camera needs, and where the system's files are."""

    platform: str
    sysfs: Path
    dev: Path

    def open(self, path: str, flags: int) -> int:
        """Open a device node. Raises `OSError`, as do all of these."""
        ...

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        ...

    def read(self, fd: int, size: int) -> bytes:
        """Read from a descriptor that does not block."""
        ...

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        """One request; the kernel writes its answer into `argument`."""
        ...

    def map(self, fd: int, length: int, offset: int) -> mmap.mmap:
        """Map a buffer."""
        ...


class LinuxKernel:
    """The running system."""

    def __init__(self, platform: str = sys.platform) -> None:
        self.platform = platform
        self.sysfs = Path("/sys")
        self.dev = Path("/dev")

    def open(self, path: str, flags: int) -> int:
        """Open a device node."""
        return os.open(path, flags)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def read(self, fd: int, size: int) -> bytes:
        """Read from a descriptor that does not block."""
        return os.read(fd, size)

    def ioctl(self, fd: int, request: int, argument: bytearray) -> None:
        """One request."""
        import fcntl  # noqa: PLC0415  (absent on Windows, where this module must still import)

        fcntl.ioctl(fd, request, argument, True)  # noqa: FBT003  (positional in the standard library)

    def map(self, fd: int, length: int, offset: int) -> mmap.mmap:
        """Map a buffer, shared with the driver."""
        return mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset)


def link_error(error: OSError, what: str) -> LinkError:
    """A system call's failure as one of ours."""
    text = f"{what}: {os.strerror(error.errno) if error.errno else error}"
    for numbers, kind in _ERRORS:
        if error.errno in numbers:
            return kind(text)
    return LinkError(text)


class Frame(Struct, frozen=True):
    """One dequeued buffer. `sequence` counts the camera's frames; a gap means that the kernel dropped some."""

    data: bytes
    sequence: int
    damaged: bool


class Capture:
    """A streaming camera. Get one with `start`; `fd` is readable when a frame is ready."""

    def __init__(self, kernel: Kernel, path: str, fd: int) -> None:
        self._kernel = kernel
        self._path = path
        self._maps: list[mmap.mmap] = []
        self.fd = fd
        self.card = ""
        self.format = VideoFormat("", 0, 0, 0.0)

    @classmethod
    def start(cls, kernel: Kernel, path: str, formats: Sequence[VideoFormat]) -> "Capture":
        """Open a node and stream in the first of `formats` that it has.

        Raises `LinkMissingError`, `LinkPermissionError`, `LinkBusyError`, and `LinkError` when the node is not a
        camera or has none of the formats.
        """
        try:
            capture = cls(kernel, path, kernel.open(path, os.O_RDWR | os.O_NONBLOCK))
        except OSError as error:
            kind = LinkMissingError(f"{path}: the camera is gone") if error.errno == errno.ENODEV else None
            raise kind or link_error(error, path) from error
        try:
            capture._query()
            capture.format = capture._choose(formats)
            capture._stream()
        except OSError as error:
            capture.stop()
            raise link_error(error, path) from error
        except LinkError:
            capture.stop()
            raise
        return capture

    def dequeue(self) -> Frame | None:
        """The next frame, None when none is ready. Raises `LinkLostError` when the camera is gone."""
        buffer = self._buffer()
        try:
            self._kernel.ioctl(self.fd, DQBUF, buffer)
            index, used, flags = _u32(buffer, 0), _u32(buffer, 8), _u32(buffer, 12)
            sequence = _u32(buffer, 56)
            data = self._maps[index][:used]
            self._kernel.ioctl(self.fd, QBUF, self._buffer(index))
        except BlockingIOError:
            return None
        except OSError as error:
            raise LinkLostError(f"{self._path}: {os.strerror(error.errno or errno.EIO)}") from error
        return Frame(data, sequence, bool(flags & BUFFER_ERROR) or not data)

    def stop(self) -> None:
        """Stop and close; a camera that is already gone is no error."""
        with contextlib.suppress(OSError):
            self._kernel.ioctl(self.fd, STREAMOFF, bytearray(_U32.pack(CAPTURE_TYPE)))
        for each in self._maps:
            each.close()
        with contextlib.suppress(OSError):
            self._kernel.close(self.fd)

    def _query(self) -> None:
        """Only nodes that capture video: uvcvideo also makes one for metadata."""
        answer = bytearray(104)
        try:
            self._kernel.ioctl(self.fd, QUERYCAP, answer)
        except OSError as error:
            if error.errno in {errno.ENOTTY, errno.EINVAL}:
                raise LinkError(f"{self._path} is not a camera") from error
            raise
        self.card = bytes(answer[16:48]).split(b"\0")[0].decode("utf-8", "replace")
        able = _u32(answer, 88) if _u32(answer, 84) & DEVICE_CAPS else _u32(answer, 84)
        if not (able & VIDEO_CAPTURE and able & STREAMING):
            raise LinkError(f"{self._path} ({self.card}) does not capture video")

    def _choose(self, formats: Sequence[VideoFormat]) -> VideoFormat:
        offered = list(self._fourccs())
        for wanted in formats:
            if wanted.fourcc in offered and self._has_size(wanted) and self._set_format(wanted):
                fps = self._set_rate(wanted.fps)
                return VideoFormat(wanted.fourcc, wanted.width, wanted.height, fps)
        asked = ", ".join(f"{each.fourcc} {each.width}x{each.height}" for each in formats)
        raise LinkError(f"{self._path} ({self.card}) has none of {asked}; it offers {', '.join(offered) or 'nothing'}")

    def _fourccs(self) -> Iterator[str]:
        for index in range(MOST_LISTED):
            answer = bytearray(64)
            struct.pack_into("<II", answer, 0, index, CAPTURE_TYPE)
            try:
                self._kernel.ioctl(self.fd, ENUM_FMT, answer)
            except OSError as error:
                if error.errno == errno.EINVAL:
                    return
                raise
            yield bytes(answer[44:48]).decode("latin-1")

    def _has_size(self, wanted: VideoFormat) -> bool:
        """Whether the size is listed: some cameras lose their way when an unlisted one is asked for."""
        for index in range(MOST_LISTED):
            answer = bytearray(44)
            struct.pack_into("<I4s", answer, 0, index, wanted.fourcc.encode("latin-1"))
            try:
                self._kernel.ioctl(self.fd, ENUM_FRAMESIZES, answer)
            except OSError as error:
                if error.errno == errno.ENOTTY:  # a driver that lists no sizes: asking decides
                    return True
                if error.errno == errno.EINVAL:
                    return False
                raise
            if _u32(answer, 8) != DISCRETE:
                return _in_steps(answer, wanted.width, wanted.height)
            if (_u32(answer, 12), _u32(answer, 16)) == (wanted.width, wanted.height):
                return True
        return False

    def _set_format(self, wanted: VideoFormat) -> bool:
        """Ask, and see what the driver kept."""
        answer = bytearray(208)
        fourcc = wanted.fourcc.encode("latin-1")
        struct.pack_into("<I4xII4s", answer, 0, CAPTURE_TYPE, wanted.width, wanted.height, fourcc)
        self._kernel.ioctl(self.fd, S_FMT, answer)
        return (_u32(answer, 8), _u32(answer, 12), bytes(answer[16:20])) == (wanted.width, wanted.height, fourcc)

    def _set_rate(self, fps: float) -> float:
        """Ask for a frame rate; what the driver kept, or what was asked where it knows no rates."""
        answer = bytearray(204)
        struct.pack_into("<I8xII", answer, 0, CAPTURE_TYPE, 1000, round(fps * 1000))
        try:
            self._kernel.ioctl(self.fd, S_PARM, answer)
        except OSError as error:
            if error.errno in {errno.ENOTTY, errno.EINVAL}:
                return fps
            raise
        numerator, denominator = _u32(answer, 12), _u32(answer, 16)
        return denominator / numerator if numerator and denominator else fps

    def _stream(self) -> None:
        request = bytearray(20)
        struct.pack_into("<III", request, 0, BUFFERS, CAPTURE_TYPE, MMAP_MEMORY)
        self._kernel.ioctl(self.fd, REQBUFS, request)
        for index in range(_u32(request, 0)):
            buffer = self._buffer(index)
            self._kernel.ioctl(self.fd, QUERYBUF, buffer)
            length = _u32(buffer, 72)
            if not 0 < length <= LARGEST_BUFFER:
                raise LinkError(f"{self._path}: buffers of {length} bytes")
            self._maps.append(self._kernel.map(self.fd, length, _u32(buffer, 64)))
            self._kernel.ioctl(self.fd, QBUF, self._buffer(index))
        if not self._maps:
            raise LinkError(f"{self._path}: the driver gives no buffers")
        self._kernel.ioctl(self.fd, STREAMON, bytearray(_U32.pack(CAPTURE_TYPE)))

    def _buffer(self, index: int = 0) -> bytearray:
        buffer = bytearray(88)
        struct.pack_into("<II", buffer, 0, index, CAPTURE_TYPE)
        struct.pack_into("<I", buffer, 60, MMAP_MEMORY)
        return buffer


def _u32(data: bytearray, offset: int) -> int:
    value: int = _U32.unpack_from(data, offset)[0]
    return value


def _in_steps(answer: bytearray, width: int, height: int) -> bool:
    """Whether a size lies on the grid of a stepwise or continuous list of sizes."""
    low_w, high_w, step_w, low_h, high_h, step_h = struct.unpack_from("<6I", answer, 12)
    fits_w = low_w <= width <= high_w and (width - low_w) % max(step_w, 1) == 0
    return bool(fits_w and low_h <= height <= high_h and (height - low_h) % max(step_h, 1) == 0)
