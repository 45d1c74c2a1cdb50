"""FLIR Boson video simulator: 16-bit pictures of a panel; during a correction the picture stands still."""

from random import Random

import numpy as np

from simulators.thermal._scene import Scene

_ONCE = frozenset({"truncated", "oversized"})


class FlirBoson:
    """A Boson 320 that looks at a panel.

    Verbs: those of `Scene`, and `fault(kind)`: once `truncated`, `oversized`; from then on `freeze` (the same frame for
    ever), `linear` (hundredths of a kelvin instead of counts), `glare` (one pixel is as bright as can be).
    """

    title = "FLIR Video"
    vendor, product = 0x09CB, 0x4007
    formats: tuple[tuple[str, int, int, float], ...] = (("Y16 ", 320, 256, 9.0),)

    def __init__(self, random: Random) -> None:
        self._kinds: set[str] = set()
        self._frame = b""
        self._scene = Scene(random, (320, 256), 9.0, (120.0, 0.7))

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb != "fault":
            self._scene.do(verb, **values)
        elif str(values["kind"]) in _ONCE | {"freeze", "linear", "glare"}:
            self._kinds.add(str(values["kind"]))
        else:
            raise ValueError(f"flir_boson has no fault '{values['kind']}'")

    def select(self, fourcc: str, width: int, height: int) -> None:
        """The host chose a format."""
        if (fourcc, width, height) not in {known[:3] for known in self.formats}:
            raise ValueError(f"no format {fourcc} {width}x{height}")

    def advance(self, dt: float) -> list[bytes]:
        """Time passes."""
        return [self._send() for _ in range(self._scene.advance(dt))]

    def buttons(self) -> list[bool]:
        """The camera has no button."""
        return []

    def _send(self) -> bytes:
        if not (self._frame and (self._scene.closed or "freeze" in self._kinds)):
            self._frame = self._expose()
        frame = self._frame
        if "truncated" in self._kinds:
            frame = frame[: len(frame) // 2]
        elif "oversized" in self._kinds:
            frame += bytes(512)
        self._kinds -= _ONCE
        return frame

    def _expose(self) -> bytes:
        kelvin = self._scene.kelvin()
        pixels = np.rint(kelvin * 100 if "linear" in self._kinds else 21000 + 60 * (kelvin - 293)).astype("<u2")
        if "glare" in self._kinds:
            pixels[10, 10] = 0xFFFF
        return bytes(pixels.tobytes())


SIMULATOR = FlirBoson
