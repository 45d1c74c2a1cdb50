"""JHCMD Wi-Fi endoscope simulator."""

from random import Random

from simulators.endoscope._wifi import WifiCamera

_PIECE = 1400
_KEPT_FOR = 100


class Jhcmd(WifiCamera):
    """See `WifiCamera`. It stops by itself a hundred frames after it was last asked for video."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, 20.0)
        self.refused: list[bytes] = []
        self._greeted: set[int] = set()
        self._left = 0

    def connect(self, port: int) -> None:
        """It sends to whoever asks."""

    def on_datagram(self, port: int, data: bytes) -> list[bytes]:
        """A message; none is answered."""
        if self.happens("deaf"):
            return []
        if port != 20000 or data[:5] != b"JHCMD" or len(data) != 7:
            self.refused.append(data)
        elif data[5:] in {b"\x10\0", b"\x20\0"}:
            self._greeted.add(data[5])
        elif data[5:] == b"\xd0\x01":
            self.running = self._greeted == {0x10, 0x20}
            self._left = _KEPT_FOR
        elif data[5:] == b"\xd0\x02":
            self.running = False
        else:
            self.refused.append(data)
        return []

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; datagrams."""
        out = []
        for jpeg in super().advance(dt):
            self._left -= 1
            self.running = self._left > 0
            pieces = [jpeg[at : at + _PIECE] for at in range(0, len(jpeg), _PIECE)]
            head = (self.frames & 0xFFFF).to_bytes(2, "little")
            out += self.sent([head + bytes([len(pieces), n, 0, 0, 0, 0]) + piece for n, piece in enumerate(pieces)])
        return out


SIMULATOR = Jhcmd
