"""A disk for a machine, over a socket: the server's side of the NBD protocol.

"The NBD protocol" (NetworkBlockDevice/nbd, doc/proto.md): the fixed newstyle negotiation as far as a client needs it to
`GO`, then simple replies. Everything is big-endian.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final, Self

from tests.vm.disk import Disk

_GREETING: Final = b"NBDMAGIC" + b"IHAVEOPT" + struct.pack(">H", 3)  # fixed newstyle, no zeroes
_OPTION: Final = struct.Struct(">8sII")
_ANSWER: Final = struct.Struct(">QIII")
_ANSWER_MAGIC: Final = 0x3E889045565A9
_GO: Final = 7
_ACK, _INFO, _UNSUPPORTED = 1, 3, 0x80000001
_EXPORT: Final = struct.Struct(">HQH")
_FLAGS: Final = 1 | 4  # has flags, takes flushes
_REQUEST: Final = struct.Struct(">IHHQQI")
_REQUEST_MAGIC: Final = 0x25609513
_REPLY: Final = struct.Struct(">IIQ")
_REPLY_MAGIC: Final = 0x67446698
_READ, _WRITE, _DISCONNECT, _FLUSH = range(4)
_INVALID: Final = 22


class Served:
    """A disk that machines use one after the other over the socket at `path`, until `freeze_after`.

    `with Served(disk, path) as served: ...; served.freeze_after(3); served.frozen.wait()`
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        """`path`: of the socket, which is made."""
        self.disk = disk
        self.path = path
        self.frozen = Event()
        self._left: int | None = None
        self._acts: dict[int, Callable[[int, int], bytes]] = {
            _READ: self._read,
            _WRITE: self._write,
            _FLUSH: self._flush,
        }
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = Thread(target=self._serve, name="disk", daemon=True)

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The machine has ended."""
        with suppress(OSError):  # it is served no more
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def freeze_after(self, requests: int) -> None:
        """Serve so many writes and flushes more, and then nothing: the next one does not reach the disk."""
        self._left = requests

    # What follows runs in the thread.

    def _serve(self) -> None:
        while not self.frozen.is_set():
            try:
                self._client, _ = self._listener.accept()
            except OSError:  # shut down
                return
            with self._client, suppress(ConnectionError):
                self._negotiate()
                while self._request():
                    pass

    def _negotiate(self) -> None:
        self._client.sendall(_GREETING)
        self._take(4)
        option = None
        while option != _GO:
            _, option, size = _OPTION.unpack(self._take(_OPTION.size))
            self._take(size)
            if option == _GO:
                self._answer(option, _INFO, _EXPORT.pack(0, len(self.disk), _FLAGS))
                self._answer(option, _ACK)
            else:
                self._answer(option, _UNSUPPORTED)

    def _answer(self, option: int, kind: int, data: bytes = b"") -> None:
        self._client.sendall(_ANSWER.pack(_ANSWER_MAGIC, option, kind, len(data)) + data)

    def _request(self) -> bool:
        """Serve one; False when there are to be no more."""
        magic, _, kind, cookie, offset, size = _REQUEST.unpack(self._take(_REQUEST.size))
        assert magic == _REQUEST_MAGIC
        if kind == _DISCONNECT:
            return False
        if kind in {_WRITE, _FLUSH} and self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.frozen.set()
                self._hold()
        act = self._acts.get(kind)
        data = b"" if act is None else act(offset, size)
        self._client.sendall(_REPLY.pack(_REPLY_MAGIC, _INVALID if act is None else 0, cookie) + data)
        return True

    def _read(self, offset: int, size: int) -> bytes:
        return self.disk.read(offset, size)

    def _write(self, offset: int, size: int) -> bytes:
        self.disk.write(offset, self._take(size))
        return b""

    def _flush(self, offset: int, size: int) -> bytes:
        del offset, size
        self.disk.flush()
        return b""

    def _hold(self) -> None:
        """Answer nothing, for a machine that hears of an error would do something about it. Raises `ConnectionError`."""
        while self._client.recv(65536):
            pass
        raise ConnectionResetError

    def _take(self, size: int) -> bytes:
        """So many bytes. Raises `ConnectionError`."""
        data = bytearray()
        while len(data) < size:
            piece = self._client.recv(size - len(data))
            if not piece:
                raise ConnectionResetError
            data += piece
        return bytes(data)
