"""FLIR Boson control port simulator: answers requests of its serial protocol, and corrects itself now and then."""

import struct
from random import Random

_START, _ESCAPE, _END = 0x8E, 0x9E, 0xAE
_FFC_EVERY, _FFC_LASTS = 120.0, 1.2
_FAULTS = frozenset({"checksum", "garbage", "mute", "truncated", "late", "other-sequence", "old"})
_LONGEST = 512


def _crc(data: bytes) -> int:
    """Bit by bit: polynomial 0x1021, most significant bit first, beginning with 0x1D0F."""
    value = 0x1D0F
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


def wrapped(body: bytes) -> bytes:
    """A frame: its CRC behind it, delimiters, escapes between them."""
    out = bytearray([_START])
    for byte in body + struct.pack(">H", _crc(body)):
        out += bytes([_ESCAPE, byte - 0x0D]) if byte in {_START, _ESCAPE, _END} else bytes([byte])
    return bytes(out) + bytes([_END])


def _unwrapped(frame: bytes) -> bytes | None:
    """What stands between the delimiters, without its CRC; None when that does not fit."""
    out = bytearray()
    at = 0
    while at < len(frame):
        escaped = frame[at] == _ESCAPE and at + 1 < len(frame)
        out.append(frame[at + 1] + 0x0D & 0xFF if escaped else frame[at])
        at += 2 if escaped else 1
    if len(out) < 15 or _crc(bytes(out[:-2])) != int.from_bytes(out[-2:], "big"):
        return None
    return bytes(out[:-2])


class FlirBosonControl:
    """The control port of a Boson.

    Verbs: `demo`, `correct` begins a correction, `temperature(celsius)` of the sensor, `gain(number)`, `mode(number)`,
    `fault(kind)`: the next answer has a bad `checksum`, comes behind `garbage`, is `truncated`, names an
    `other-sequence`, comes `late` (after the next question) or not at all (`mute`); `old`, from then on: a camera that
    does not know whether a correction is desired.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._clock = 0.0
        self._buffer = bytearray()
        self._held = b""
        self._serial = 93588
        self._celsius = 31.0 + random.uniform(-0.5, 0.5)
        self._gain, self._mode = 2, 1
        self._next_ffc, self._ffc_until = _FFC_EVERY, 0.0
        self._faults: set[str] = set()
        self._old = False
        self._demo_at: float | None = None
        self.changed: list[int] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo_at = self._clock + 10.0
        elif verb == "correct":
            self._correct()
        elif verb == "temperature":
            self._celsius = float(values["celsius"])
        elif verb == "gain":
            self._gain = int(float(values["number"]))
        elif verb == "mode":
            self._mode = int(float(values["number"]))
        elif verb == "fault" and str(values["kind"]) in _FAULTS:
            self._fault(str(values["kind"]))
        else:
            raise ValueError(f"flir_boson_control has no verb '{verb}' {values}")

    def _fault(self, kind: str) -> None:
        if kind == "old":
            self._old = True
        else:
            self._faults.add(kind)

    def on_bytes(self, data: bytes) -> bytes:
        """The host asks."""
        self._buffer += data
        out = b""
        while (end := self._buffer.find(_END)) >= 0:
            frame = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            request = _unwrapped(frame[frame.rfind(_START) + 1 :])
            if request is not None:
                out += self._damaged(self._answer(request))
        del self._buffer[:-_LONGEST]
        return out

    def advance(self, dt: float) -> bytes:
        """Time passes; the camera says nothing of its own accord."""
        self._clock += dt
        self._celsius += self._random.uniform(-0.01, 0.01) * min(dt, 1.0)
        if self._mode == 1 and self._clock >= self._next_ffc:
            self._correct()
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demo_at = self._clock + self._random.uniform(30, 90)
            self._correct()
        return b""

    def _correct(self) -> None:
        self._ffc_until = self._clock + _FFC_LASTS
        self._next_ffc = self._clock + _FFC_EVERY

    def _answer(self, request: bytes) -> bytes:
        _, sequence, function, _ = struct.unpack_from(">BIII", request)
        if "other-sequence" in self._faults:
            self._faults.discard("other-sequence")
            sequence += 77
        status, payload = self._carried_out(function)
        return struct.pack(">BIII", 0, sequence, function, status) + payload

    def _carried_out(self, function: int) -> tuple[int, bytes]:
        running = self._clock < self._ffc_until
        if function == 0x00050007:
            self._correct()
            return 0, b""
        if self._old and function == 0x00050055:
            return 0x161, b""
        known = {
            0x00050002: struct.pack(">I", self._serial),
            0x00050004: b"20640A050-6CAAX".ljust(20, b"\0"),
            0x00050006: struct.pack(">I", 0x8E9EAE),
            0x00050022: struct.pack(">3i", 4, 0, 23710),
            0x00050030: struct.pack(">H", round(self._celsius * 10) & 0xFFFF),
            0x0005000C: struct.pack(">H", running),
            0x00050055: struct.pack(">H", self._mode == 0 and self._clock >= self._next_ffc),
            0x00050013: struct.pack(">I", self._mode),
            0x00050015: struct.pack(">I", self._gain),
            0x00020002: struct.pack(">I", int(self._clock * 60) & 0xFFFFFFFF),
        }
        if function not in known:
            self.changed.append(function)
            return 0x161, b""
        return 0, known[function]

    def _damaged(self, body: bytes) -> bytes:
        out = wrapped(body)
        held, self._held = self._held, b""
        if "checksum" in self._faults:
            out = out[:-2] + bytes([out[-2] ^ 1]) + out[-1:]
        if "garbage" in self._faults:
            out = self._random.randbytes(9).replace(b"\xae", b"\0") + out
        if "truncated" in self._faults:
            out = out[: len(out) // 2]
        if "mute" in self._faults:
            out = b""
        if "late" in self._faults:
            self._held, out = out, b""
        self._faults.clear()
        return held + out


SIMULATOR = FlirBosonControl
