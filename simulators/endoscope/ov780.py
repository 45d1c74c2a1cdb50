"""OV780 Wi-Fi camera simulator: a reliable line over UDP, an encoder whose units are true and whose slices are noise.

Nothing that it sends can be decoded to a picture: its parameter sets, sizes and numbers are those of a camera.
"""

import socket
import struct
from random import Random

_CHUNK = 929
_GROUP = 30
_AGAIN = 0.05


def _bits(text: str) -> bytes:
    text += "1"
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def _ue(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


_SPS = b"\x67" + _bits(
    f"{66:08b}{0xC0:08b}{30:08b}" + _ue(0) + _ue(0) + _ue(0) + _ue(0) + _ue(1) + "0" + _ue(39) + _ue(14) + "1100"
)
_PPS = b"\x68\xce\x3c\x80"


def beacon(address: str, name: str) -> bytes:
    """What a camera broadcasts to port 2000; what stands behind its name is not known."""
    return b"8713" + socket.inet_aton(address) + name.encode().ljust(24, b"\0")


class Ov780:
    """The camera.

    Verbs: `demo`, `rate(hz)`, `press` the button; `fault(kind)`, once: `lost`, `twice`, `swapped` datagrams, `again`
    (one comes again with zeros before it), `stalled` (the encoder dies, the line lives), `garbage`.
    """

    kinds = frozenset({"lost", "twice", "swapped", "again", "stalled", "garbage"})

    def __init__(self, random: Random) -> None:
        self._random = random
        self._hz = 20.0
        self.refused: list[bytes] = []
        self._demo = False
        self.connect(0)

    def connect(self, port: int) -> None:
        """Somebody opened his end: a new session."""
        del port
        self._clock = self._next_frame = 0.0
        self._expected = self._number = self._frames = 0
        self._sent: dict[int, tuple[float, bytes]] = {}
        self._waiting: list[bytes] = []
        self._faults: set[str] = set()
        self.running = self._stalled = self._pressed = False

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo = True
        elif verb == "rate":
            self._hz = float(values["hz"])
        elif verb == "press":
            self._pressed = True
        elif verb == "fault" and str(values["kind"]) in self.kinds:
            self._faults.add(str(values["kind"]))
        else:
            raise ValueError(f"there is no verb '{verb}' {values}")

    def on_datagram(self, port: int, data: bytes) -> list[bytes]:
        """A datagram of the host's."""
        if port != 1000 or len(data) < 4 or data[3:4] != b"v":
            return []
        for number in [number for number in self._sent if (data[2] - number - 1) % 256 < 128]:
            del self._sent[number]
        if data[0] == 2 and data[1] in self._sent:
            return [self._sent[data[1]][1]]
        if data[0] != 0:
            return self._flow()
        out = []
        if data[1] == self._expected:
            self._expected = (self._expected + 1) % 256
            self._command(data[4:])
        out.append(bytes([1, data[1], self._expected]) + b"v")
        return out + self._flow()

    def _command(self, message: bytes) -> None:
        code, body = message[4:8], message[14:]
        if code == b"0008":
            self._say(b"0009", b"070002bcAllInfo" + bytes(700))
        elif (code, body) == (b"0006", b"05000001Video1"):
            self.running = True
            self._say(b"0007", b"03000001Ret1")
        elif (code, body) == (b"0015", b"0C000000GetSnapPhoto"):
            self._say(b"0016", b"05000001Video" + (b"1" if self._pressed else b"0"))
            self._pressed = False
        else:
            self.refused.append(message)
            self._say(b"0007", b"03000001Ret0")

    def _say(self, code: bytes, body: bytes) -> None:
        self._waiting.append(b"0010" + code + b"%06x" % len(body) + body)

    def _flow(self) -> list[bytes]:
        out = []
        while self._waiting and len(self._sent) < 32:
            datagram = bytes([0, self._number, self._expected]) + b"v" + self._waiting.pop(0)
            self._sent[self._number] = (self._clock, datagram)
            self._number = (self._number + 1) % 256
            out.append(datagram)
        return self._on_air(out)

    def _on_air(self, out: list[bytes]) -> list[bytes]:
        for kind in sorted(self._faults & {"lost", "twice", "swapped", "garbage", "again"}) if len(out) > 1 else ():
            self._faults.discard(kind)
            if kind == "lost":
                del out[0]
            elif kind == "twice":
                out.insert(1, out[0])
            elif kind == "swapped":
                out[0], out[1] = out[1], out[0]
            elif kind == "again":
                out.insert(1, out[0][:4] + bytes(4) + out[0][8:])
            else:
                out.insert(1, b"\xfe" + self._random.randbytes(40))
        return out

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; datagrams."""
        self._clock += dt
        if "stalled" in self._faults:
            self._faults.discard("stalled")
            self._stalled = True
        if self._demo and int(self._clock) % 20 == 10:
            self._pressed = True
        while self._next_frame <= self._clock:
            self._next_frame += 1 / self._hz
            if self.running and not self._stalled and len(self._waiting) < 64:
                self._frame()
        again = []
        for number, (sent, datagram) in list(self._sent.items()):
            if self._clock - sent > _AGAIN:
                self._sent[number] = (self._clock, datagram)
                again.append(datagram[:4] + bytes(4) + datagram[8:])
        return again + self._flow()

    def _frame(self) -> None:
        key = self._frames % _GROUP == 0
        noise = bytes(
            self._random.randrange(4, 256) for _ in range(3000 if key else self._random.choice((60, 900, 1500)))
        )
        start = b"\0\0\0\1"
        frame = start + _SPS + start + _PPS + start + b"\x65" + noise if key else start + b"\x41" + noise
        for chunk, at in enumerate(range(0, len(frame), _CHUNK)):
            size = len(frame) if chunk == 0 else 0
            info = struct.pack(
                ">7I", 0 if key and not chunk else 2, size, self._frames, chunk, 0, int(self._clock * 1000), 0
            )
            data = frame[at : at + _CHUNK]
            body = b"03000001Ret1" + b"04000005TypeVideo" + b"0400001cInfo" + info + b"04%06xData" % len(data) + data
            self._say(b"0011", body)
        self._frames += 1


SIMULATOR = Ov780
