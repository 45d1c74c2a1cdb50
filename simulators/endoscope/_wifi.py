"""What simulated Wi-Fi endoscopes share: a camera in a pipe whose frames go through a bad radio."""

from random import Random

from simulators.endoscope._camera import picture

_SIZE = (640, 480)


class WifiCamera:
    """Frames, and what happens to their pieces on the way.

    Verbs: `demo`, `rate(hz)`, `blur(sigma)`, `fault(kind)`, once: `lost` (a piece of a frame), `swapped` (two pieces),
    `twice`, `late` (a piece comes with the next frame), `garbage` between, `deaf` (the next message is lost), `mute`
    (no video until it is asked for again), `broken` (a frame that is no JPEG).
    """

    kinds = frozenset({"lost", "swapped", "twice", "late", "garbage", "deaf", "mute", "broken"})

    def __init__(self, random: Random, hz: float) -> None:
        self.running = False
        self.frames = 0
        self._random = random
        self._hz = hz
        self._clock = self._next_frame = 0.0
        self._blur = 0.0
        self._faults: set[str] = set()
        self._held: bytes | None = None
        self._demo_at: float | None = None

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world. Raises `ValueError` for an unknown verb."""
        if verb == "demo":
            self._demo_at = self._clock + 5.0
        elif verb == "rate":
            self._hz = float(values["hz"])
        elif verb == "blur":
            self._blur = float(values["sigma"])
        elif verb == "fault" and str(values["kind"]) in self.kinds:
            self._faults.add(str(values["kind"]))
        else:
            raise ValueError(f"there is no verb '{verb}' {values}")

    def happens(self, kind: str) -> bool:
        """Whether that fault is due; it is over then."""
        due = kind in self._faults
        self._faults.discard(kind)
        return due

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; the JPEGs taken meanwhile, nothing while the video is off."""
        self._clock += dt
        if self._demo_at is not None and self._clock >= self._demo_at:
            self._blur = self._random.choice((0.0, 0.0, 1.0, 4.0))
            self._demo_at = self._clock + self._random.uniform(5, 20)
        if self.happens("mute"):
            self.running = False
        taken = []
        while self._next_frame <= self._clock:
            self._next_frame += 1 / self._hz
            if self.running:
                taken.append(self._take())
        return taken

    def _take(self) -> bytes:
        self.frames += 1
        jpeg = picture(*_SIZE, (self.frames // 5 % 4, 0), self._blur, dark=False, tables=True)
        return self._random.randbytes(len(jpeg)) if self.happens("broken") else jpeg

    def sent(self, pieces: list[bytes]) -> list[bytes]:
        """The datagrams of one frame as they arrive."""
        out = list(pieces)
        middle = len(out) // 2
        if self.happens("lost"):
            del out[middle]
        if self.happens("swapped"):
            out[1], out[middle] = out[middle], out[1]
        if self.happens("twice"):
            out.insert(middle, out[1])
        if self.happens("garbage"):
            out.insert(1, b"\xfe" + self._random.randbytes(60))
        held, self._held = self._held, None
        if self.happens("late"):
            self._held = out.pop(middle)
        return [*out[:2], held, *out[2:]] if held is not None else out
