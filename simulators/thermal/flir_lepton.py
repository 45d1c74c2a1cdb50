"""FLIR Lepton on PureThermal simulator: 16-bit pictures of a panel and the telemetry lines around them."""

from random import Random

import numpy as np

from simulators.thermal._scene import Kelvin, Scene

_SIZES = {122: (160, 120, 2), 63: (80, 60, 3), 120: (160, 120, 0), 60: (80, 60, 0)}
_ONCE = frozenset({"truncated", "oversized"})
_KINDS = _ONCE | {"counts", "tenths", "header", "repeat", "unshuttered"}
_NEVER, _IMMINENT, _RUNNING, _DONE = range(4)


def counts(kelvin: Kelvin, steps: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """What TLinear says, in so many steps a kelvin."""
    return np.rint(kelvin * steps).astype("<u2")


class FlirLepton:
    """A Lepton 3 or 2 that looks at a panel.

    Verbs: those of `Scene`, and `fault(kind)`: once `truncated`, `oversized`; from then on `counts` (TLinear off),
    `tenths` (0.1 K), `header` (the telemetry stands above the picture), `repeat` (every frame is sent twice),
    `unshuttered` (no FFC since power-up).
    """

    title = "PureThermal 3"
    vendor, product = 0x1E4E, 0x0100
    formats: tuple[tuple[str, int, int, float], ...] = tuple(
        ("Y16 ", width, rows, 9.0) for rows, (width, _, _) in _SIZES.items()
    )

    def __init__(self, random: Random) -> None:
        self._kinds: set[str] = set()
        self._frames = 0
        self._ffc = _DONE
        self._width, self._height, self._lines = _SIZES[122]
        self._scene = Scene(random, (self._width, self._height), 9.0, (180.0, 1.0))

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb != "fault":
            self._scene.do(verb, **values)
        elif str(values["kind"]) in _KINDS:
            self._kinds.add(str(values["kind"]))
        else:
            raise ValueError(f"flir_lepton has no fault '{values['kind']}'")

    def select(self, fourcc: str, width: int, height: int) -> None:
        """The host chose a format."""
        if (fourcc, width, height) not in {known[:3] for known in self.formats}:
            raise ValueError(f"no format {fourcc} {width}x{height}")
        self._width, self._height, self._lines = _SIZES[height]
        self._scene.resize((width, self._height))

    def advance(self, dt: float) -> list[bytes]:
        """Time passes."""
        return [frame for _ in range(self._scene.advance(dt)) for frame in self._send()]

    def buttons(self) -> list[bool]:
        """The camera has no button."""
        return []

    def _send(self) -> list[bytes]:
        self._frames += 1
        self._step_ffc()
        pixels = self._pixels()
        lines = self._telemetry(int(pixels.mean()))
        frame = lines + pixels.tobytes() if "header" in self._kinds else pixels.tobytes() + lines
        if "truncated" in self._kinds:
            frame = frame[:-600]
        elif "oversized" in self._kinds:
            frame += bytes(160)
        self._kinds -= _ONCE
        return [frame, frame] if "repeat" in self._kinds else [frame]

    def _step_ffc(self) -> None:
        """The shutter closes: one frame says so before, then it runs, then it is done."""
        if "unshuttered" in self._kinds:
            self._ffc = _NEVER
        elif not self._scene.closed:
            self._ffc = _DONE
        else:
            self._ffc = _IMMINENT if self._ffc == _DONE else _RUNNING

    def _pixels(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
        kelvin = self._scene.kelvin()
        if "counts" in self._kinds:
            return np.clip(8000 + 30 * (kelvin - 293), 0, 16383).astype("<u2")
        return counts(kelvin, 10 if "tenths" in self._kinds else 100)

    def _telemetry(self, mean: int) -> bytes:
        """Row A of the lines; all else is zero. The counter runs at three times the rate of the frames sent."""
        words = np.zeros(self._lines * self._width, "<u2")
        if not len(words):
            return b""
        uptime, counter = int(400_000 + self._scene.clock * 1000), self._frames * 3
        status = self._ffc << 4
        words[0] = 14
        for at, value in ((1, uptime), (3, status), (20, counter)):
            words[at], words[at + 1] = value & 0xFFFF, value >> 16
        words[22], words[23], words[24], words[26] = mean, 8100, 30315 + self._frames % 50, 30105
        return words.tobytes()


SIMULATOR = FlirLepton
