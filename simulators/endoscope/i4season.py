"""i4season Wi-Fi endoscope simulator."""

import struct
from random import Random

from simulators.endoscope._wifi import WifiCamera

_PIECE = 1024
_MAGIC = 0xFFEEFFEE


class I4Season(WifiCamera):
    """See `WifiCamera`. The first message after it was switched on is lost, as the real ones lose it."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, 21.0)
        self.refused: list[bytes] = []
        self.port: int | None = None
        self.do("fault", kind="deaf")

    def connect(self, port: int) -> None:
        """It waits to be asked."""

    def on_datagram(self, port: int, data: bytes) -> list[bytes]:
        """A message, and its answer."""
        if self.happens("deaf"):
            return []
        if len(data) < 12:
            self.refused.append(data)
            return []
        magic, number, kind, _, _, _ = struct.unpack_from("<IHHBBH", data)
        if (magic, kind, port) == (_MAGIC, 1, 10005):
            fields = (b"i4season", b"MS5", b"2.0.14", b"MS5-8F21")
            body = b"\0" + struct.pack("<32s32s16s32s", *fields)
            return [struct.pack("<IHHBBH", _MAGIC, number, 1, 1, 0, len(body)) + body]
        if (magic, kind, port, len(data)) == (_MAGIC, 4, 10006, 14):
            self.port = int.from_bytes(data[12:14], "little")
            self.running = True
            return []
        self.refused.append(data)
        return [struct.pack("<IHHBBH", _MAGIC, number, kind, 1, 1, 0)] if magic == _MAGIC else []

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; datagrams."""
        return [datagram for jpeg in super().advance(dt) for datagram in self.sent(self._chunks(jpeg))]

    def _chunks(self, jpeg: bytes) -> list[bytes]:
        pieces = [jpeg[at : at + _PIECE] for at in range(0, len(jpeg), _PIECE)]
        frame = self.frames & 0xFF
        return [
            bytes([1, number & 0xFF, frame, number == len(pieces), number, 0])
            + bytes(6)
            + struct.pack("<HH", 640, 480)
            + piece
            for number, piece in enumerate(pieces, 1)
        ]


SIMULATOR = I4Season
