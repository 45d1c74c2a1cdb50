"""An X-ray cabinet, simulated: it leaves a grey PNG of each bag, and a JSON file of what it thinks of it."""

import json
import struct
import zlib
from random import Random

WIDTH, HEIGHT = 96, 64
FAULTS = ("damaged", "alone", "none")


class Cabinet:
    """Leaves bag-0001.png and bag-0001.json, ...

    Verbs: `demo` (a bag every 15 s, something dense in one of six); `scan` with an optional `dense`, 1 for something;
    `fault(kind)` for the next bag: damaged (the picture), alone (no sidecar), or none.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._time = 0.0
        self._next: float | None = None
        self._bags = 0
        self._fault = "none"
        self._files: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 5.0
        elif verb == "scan":
            self._scan(dense=bool(float(values.get("dense", 0))))
        elif verb == "fault" and values["kind"] in FAULTS:
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"image_sidecar has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the files written since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 15.0
            self._scan(dense=self._bags % 6 == 5)
        files, self._files = self._files, []
        return files

    def _scan(self, *, dense: bool) -> None:
        fault, self._fault = self._fault, "none"
        self._bags += 1
        name = f"bag-{self._bags:04d}"
        picture = self._png(dense=dense)
        if fault == "damaged":
            picture = picture[:60] + bytes([picture[60] ^ 1]) + picture[61:]
        self._files.append((f"{name}.png", picture))
        if fault != "alone":
            told = {"verdict": "alarm", "finding": "dense block"} if dense else {"verdict": "clear"}
            self._files.append((f"{name}.json", json.dumps({"scan": {"item": name, **told}}).encode()))

    def _png(self, *, dense: bool) -> bytes:
        """Eight-bit grey, no filter."""
        rows = bytearray()
        for y in range(HEIGHT):
            rows.append(0)
            for x in range(WIDTH):
                inside = dense and 30 < x < 50 and 20 < y < 40
                rows.append(20 if inside else 200 + self._random.randrange(8))
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in parts
        )


SIMULATOR = Cabinet
