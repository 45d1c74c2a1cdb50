"""Depstech Wi-Fi endoscope simulator: a TCP stream in pieces of any size."""

import struct
from random import Random

from simulators.endoscope._wifi import WifiCamera


class Depstech(WifiCamera):
    """See `WifiCamera`; its stream loses and exchanges bytes, not datagrams. It sends as soon as somebody connects."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, 15.0)
        self.refused: list[bytes] = []

    def connect(self, port: int) -> None:
        """Somebody looks."""
        del port
        self.running = True

    def on_datagram(self, port: int, data: bytes) -> list[bytes]:
        """It takes nothing."""
        del port
        self.refused.append(data)
        return []

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; pieces of the stream."""
        out = []
        for jpeg in super().advance(dt):
            middle = len(jpeg) // 2
            turned = jpeg[:middle] + bytes([0xFF - jpeg[middle]]) + jpeg[middle + 1 :]
            head = struct.pack("<4BI3I2HII", 1, 0, 0, 0, len(jpeg), self.frames, 0, 0, 0, 0, 1280, 720)
            stream = b"BoundaryS" + head + turned + b"BoundaryE"
            size = self._random.choice((700, 1460, 4000))
            out += self.sent([stream[at : at + size] for at in range(0, len(stream), size)])
        return out


SIMULATOR = Depstech
