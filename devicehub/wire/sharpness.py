"""Focus of a JPEG stream without decoding it: the size of a frame relative to the largest recent one.

A blurred, fogged, obstructed or black picture has fewer details and therefore fewer bytes; at constant
quality the size falls monotonically with blur. Relative only: it compares a view with its recent self.
"""

from collections import deque
from math import inf

from devicehub.model.reading import Cause, Measurement, Quality

REPORT_EVERY = 1.0


class RelativeSize:
    """Percent of the largest frame of the last `window` seconds. Memory is bounded by `most` entries."""

    def __init__(self, window: float = 20.0, settle: float = 1.0, most: int = 1024) -> None:
        """Until `settle` seconds of frames are known a value is UNCERTAIN: there is nothing to compare it with."""
        self._reported = -inf
        self._window = window
        self._settle = settle
        self._peaks: deque[tuple[float, int]] = deque(maxlen=most)
        self._first: float | None = None

    def report(self, now: float, size: int) -> tuple[Measurement, ...]:
        """Take a frame as `measure` does; its value once a second, which is as often as anybody needs it."""
        value = self.measure(now, size)
        if now - self._reported < REPORT_EVERY:
            return ()
        self._reported = now
        return (value,)

    def measure(self, now: float, size: int) -> Measurement:
        """Take the size in bytes of a frame that came at `now` (monotonic seconds): channel `sharpness`, in percent."""
        if self._first is None:
            self._first = now
        while self._peaks and self._peaks[0][0] < now - self._window:
            self._peaks.popleft()
        while self._peaks and self._peaks[-1][1] <= size:
            self._peaks.pop()
        self._peaks.append((now, size))
        percent = 100.0 * size / max(self._peaks[0][1], 1)
        if now - self._first < self._settle:
            return Measurement("sharpness", percent, Quality.UNCERTAIN, Cause.WARMING_UP)
        return Measurement("sharpness", percent)
