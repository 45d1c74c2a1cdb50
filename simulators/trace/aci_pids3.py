"""ACI PIDS3 simulator: a vapour cloud, a lamp that has to be checked, faults, alarm relays.

The concentration follows the vapour at the inlet with a first-order lag. `pids.meas ?` is this
simulator's name for the measurement command, which the public pages of the manual do not give.
"""

import math
import zlib
from random import Random

_LAG = 1.5
_LAMP_CHECK = 8.0
_LOW, _HIGH = 50.0, 100.0


class AciPids3:
    """IDLE, LAMP CHECK, MEASURE or ERROR; answers at once.

    Verbs: `demo` (a swab with vapour passes every two minutes), `vapour(ppm)` at the inlet from now on,
    `fault(bit)` sets a bit of the error word, `repair` clears it, `garble` damages the next answer,
    `mute(seconds)` answers nothing for so long.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._state = "IDLE"
        self._left = 0.0
        self._vapour = 0.0
        self._reading = 0.0
        self._errors = 0
        self._demo = False
        self._clock = 0.0
        self._mute = 0.0
        self._garble = False
        self._buffer = b""

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo = True
        elif verb == "vapour":
            self._vapour = float(values["ppm"])
        elif verb == "fault":
            self._errors |= 1 << int(values["bit"])
            self._state = "ERROR"
        elif verb == "repair":
            self._errors, self._state = 0, "IDLE"
        elif verb == "garble":
            self._garble = True
        elif verb == "mute":
            self._mute = float(values["seconds"])
        else:
            raise ValueError(f"aci_pids3 has no verb '{verb}'")

    def advance(self, dt: float) -> bytes:
        """Time passes; the module never speaks unasked."""
        self._clock += dt
        self._mute = max(0.0, self._mute - dt)
        if self._demo:
            self._vapour = 160.0 if self._clock % 120.0 > 105.0 else 0.0
        self._reading += (self._vapour - self._reading) * (1 - math.exp(-dt / _LAG))
        if self._state == "LAMP CHECK":
            self._left -= dt
            if self._left <= 0:
                self._state = "MEASURE"
        return b""

    def on_bytes(self, data: bytes) -> bytes:
        """Answer every whole frame."""
        self._buffer = (self._buffer + data)[-1024:]
        out = b""
        while b"\x04" in self._buffer:
            frame, _, self._buffer = self._buffer.partition(b"\x04")
            out += self._answer(frame[frame.rfind(b"\x01") + 1 :])
        return b"" if self._mute else out

    def _answer(self, frame: bytes) -> bytes:
        covered, digits = frame[:-8], frame[-8:]
        if f"{zlib.crc32(covered) & 0xFFFFFFFF:08X}".encode() != digits or covered[8:9] != b"\x02":
            return b""
        text = self._reply(covered[9:-1].decode("ascii", "replace"))
        covered = b"00000000" + b"\x02" + text.encode("utf-8") + b"\x03"
        answer = bytearray(b"\x01" + covered + f"{zlib.crc32(covered) & 0xFFFFFFFF:08X}".encode() + b"\x04")
        if self._garble:
            self._garble = False
            answer[12] ^= 0x20
        return bytes(answer)

    def _reply(self, command: str) -> str:
        fixed = {
            "device ?": "device CPN Sensor Device",
            "device.software ?": "device.software 1.02.030",
            "device.hardware ?": "device.hardware 1.19012.000",
            "device.serialno ?": "device.serialno A792003460",
            "pids.measconfig ?": "pids.measconfig standard;115-11-7;1.000;true",
        }
        if command in fixed:
            return fixed[command]
        if command == "pids.error ?":
            return f"pids.error {self._errors:08X}"
        if command == "pids.relay.state ?":
            return f"pids.relay.state {self._relays()}"
        if command == "pids.start":
            return self._start()
        if command == "pids.meas ?":
            return self._measurement()
        return command.split(" ", maxsplit=1)[0] + " error \N{EN DASH} unknown command"

    def _relays(self) -> str:
        live = self._state == "MEASURE"
        digits = (self._state == "ERROR", live and self._reading >= _HIGH, live and self._reading >= _LOW)
        return "".join("1" if digit else "0" for digit in digits)

    def _start(self) -> str:
        if self._state != "IDLE":
            return "pids.start error \N{EN DASH} invalid module status"
        self._state, self._left = "LAMP CHECK", _LAMP_CHECK
        return "pids.start ok"

    def _measurement(self) -> str:
        if self._state != "MEASURE":
            return "pids.meas error \N{EN DASH} invalid module status"
        noisy = self._reading + self._random.gauss(0.02, 0.01 + 0.003 * self._reading)
        return f"pids.meas {max(0.0, noisy):.3f}"


SIMULATOR = AciPids3
