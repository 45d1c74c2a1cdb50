"""Maker Model simulator: a noisy signal over a background, and a battery that runs down."""

from random import Random


class MakerModel:
    """Answers `R` CR with one reading.

    Verbs: `demo`, `signal(counts)` sets the signal above background, `battery(percent)`.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._received = b""
        self._signal = 0.0
        self._battery = 100.0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._signal = 500.0
        elif verb == "signal":
            self._signal = float(values["counts"])
        elif verb == "battery":
            self._battery = float(values["percent"])
        else:
            raise ValueError(f"maker_model has no verb '{verb}'")

    def on_bytes(self, data: bytes) -> bytes:
        """The host wrote; one answer for each complete request."""
        *requests, rest = (self._received + data).split(b"\r")
        self._received = rest[-16:]
        return b"".join(self._answer() for request in requests if request == b"R")

    def advance(self, dt: float) -> bytes:
        """Time passes; the device says nothing unasked."""
        self._battery = max(0.0, self._battery - dt * 100 / (8 * 3600))
        return b""

    def _answer(self) -> bytes:
        counts = round(self._random.gauss(100 + self._signal, 5))
        body = f"{min(max(counts, 0), 65535)},{int(self._battery)}"
        check = 0
        for letter in body.encode():
            check ^= letter
        return f"${body}*{check:02X}\r".encode()


SIMULATOR = MakerModel
