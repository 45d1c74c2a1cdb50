"""A sensor on the line protocol, simulated: a value that wanders, and jumps now and then."""

from random import Random

EPOCH = 10**15


class LineSensor:
    """Says a line ten times a second, or answers "?" with one once it was asked.

    Verbs: `demo` (a jump every 20 s); `value(v)`; `rate(hz)`; `fault(kind)` for the next line: checksum or none.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._micros = 0
        self._due = 0.0
        self._period = 0.1
        self._asked = False
        self._sequence = 0
        self._value = 20.0
        self._demo = False
        self._fault = "none"

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo = True
        elif verb == "value":
            self._value = float(values["v"])
        elif verb == "rate":
            self._period = 1 / float(values["hz"])
        elif verb == "fault" and values["kind"] in {"checksum", "none"}:
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"line_sensor has no verb '{verb}' {values}")

    def on_bytes(self, data: bytes) -> bytes:
        """Each "?" is a request."""
        self._asked = self._asked or b"?" in data
        return b"".join(self._line() for _ in range(data.count(b"?")))

    def advance(self, dt: float) -> bytes:
        """Time passes; the lines said by itself."""
        out = b""
        self._micros += round(dt * 1e6)
        self._due -= dt
        while self._due <= 0:
            self._due += self._period
            out += b"" if self._asked else self._line()
        return out

    def _line(self) -> bytes:
        if self._demo:
            self._value = 60.0 if self._micros // 10_000_000 % 2 else 20.0
        shown = self._value + self._random.gauss(0.0, 0.2)
        body = f"D0001,{self._sequence % 10**8:08d},{EPOCH + self._micros},{shown:+08.2f}"
        self._sequence += 1
        check = 0
        for letter in body.encode():
            check ^= letter
        fault, self._fault = self._fault, "none"
        return f"${body}*{check ^ (fault == 'checksum'):02X}\r\n".encode()


SIMULATOR = LineSensor
