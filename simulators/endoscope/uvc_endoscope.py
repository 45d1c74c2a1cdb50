"""UVC cable endoscope simulator: JPEG frames in page-sized buffers and a snapshot button."""

from random import Random

from simulators.endoscope._camera import picture

_PHASES = 4
_PRESS = 0.15


class UvcEndoscope:
    """A camera in a pipe.

    Verbs: `demo`, `rate(hz)`, `press` the snapshot button, `blur(sigma)` in pixels, `blackout(on)` (1 dark, 0 light),
    `fault(kind)` damages the next frame: `truncated` (no end), `headless` (no start), `lost-packet` (932 bytes
    missing inside), `garbage`; `tables` (from then on without Huffman tables, as many cameras do).
    """

    title = "USB2.0 PC CAMERA"
    vendor, product = 0x1908, 0x2311
    formats: tuple[tuple[str, int, int, float], ...] = (
        ("MJPG", 1280, 720, 30.0),
        ("MJPG", 640, 480, 30.0),
        ("YUYV", 640, 480, 5.0),
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._size = (1280, 720)
        self._fourcc = "MJPG"
        self._hz = 30.0
        self._asked_hz: float | None = None
        self._clock = self._next_frame = 0.0
        self._frames = 0
        self._blur, self._dark, self._tables = 0.0, False, True
        self._damage = ""
        self._edges: list[bool] = []
        self._release_at: float | None = None
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._demo_at = self._clock + 3.0
        elif verb == "rate":
            self._asked_hz = float(values["hz"])
        elif verb == "press":
            self._edges.append(True)
            self._release_at = self._clock + _PRESS
        elif verb == "blur":
            self._blur = float(values["sigma"])
        elif verb == "blackout":
            self._dark = bool(float(values["on"]))
        elif verb == "fault":
            self._fault(str(values["kind"]))
        else:
            raise ValueError(f"uvc_endoscope has no verb '{verb}'")

    def _fault(self, kind: str) -> None:
        if kind == "tables":
            self._tables = False
        elif kind in {"truncated", "headless", "lost-packet", "garbage"}:
            self._damage = kind
        else:
            raise ValueError(f"uvc_endoscope has no fault '{kind}'")

    def select(self, fourcc: str, width: int, height: int) -> None:
        """The host chose a format."""
        for known in self.formats:
            if known[:3] == (fourcc, width, height):
                self._fourcc, self._size, self._hz = fourcc, (width, height), known[3]
                return
        raise ValueError(f"no format {fourcc} {width}x{height}")

    def advance(self, dt: float) -> list[bytes]:
        """Time passes."""
        self._clock += dt
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._demonstrate()
        if self._release_at is not None and self._clock >= self._release_at:
            self._release_at = None
            self._edges.append(False)
        out = []
        while self._next_frame <= self._clock:
            self._next_frame += 1 / (self._asked_hz or self._hz)
            out.append(self._frame())
        return out

    def buttons(self) -> list[bool]:
        """Edges since the last call."""
        edges, self._edges = self._edges, []
        return edges

    def _demonstrate(self) -> None:
        """The operator takes a snapshot, then bumps against the wall now and then."""
        self.do("press")
        self._blur = self._random.choice((0.0, 0.0, 1.0, 4.0))
        self._demo_at = self._clock + self._random.uniform(5, 20)

    def _frame(self) -> bytes:
        self._frames += 1
        if self._fourcc == "YUYV":
            width, height = self._size
            return bytes([16 if self._dark else 120, 128]) * (width * height)
        phase = int(self._frames / 5) % _PHASES
        jpeg = picture(*self._size, (phase, 0), self._blur, dark=self._dark, tables=self._tables)
        return self._damaged(jpeg)

    def _damaged(self, jpeg: bytes) -> bytes:
        """A buffer as the kernel hands it over: a multiple of 16 bytes, the rest zeros."""
        kind, self._damage = self._damage, ""
        if kind == "truncated":
            jpeg = jpeg[: len(jpeg) * 2 // 3]
        elif kind == "headless":
            jpeg = jpeg[932:]
        elif kind == "lost-packet":
            jpeg = jpeg[: len(jpeg) // 2] + jpeg[len(jpeg) // 2 + 5000 :]
        elif kind == "garbage":
            jpeg = self._random.randbytes(len(jpeg))
        return jpeg + bytes(-len(jpeg) % 16)


SIMULATOR = UvcEndoscope
