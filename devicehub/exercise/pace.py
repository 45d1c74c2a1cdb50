"""An event loop whose time goes faster than the clock on the wall: everything in an exercise does, alike."""

import asyncio
import selectors


class _Hurrying(selectors.DefaultSelector):
    """Waits for as much less."""

    speed = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None or timeout <= 0 else timeout / self.speed)


class PacedLoop(asyncio.SelectorEventLoop):
    """See the module's docstring."""

    def __init__(self, speed: float) -> None:
        self._selecting = _Hurrying()
        self._selecting.speed = speed
        self._since = self._then = 0.0
        super().__init__(self._selecting)

    def time(self) -> float:
        """Seconds, so many times as many as on the wall."""
        return self._then + (super().time() - self._since) * self._selecting.speed

    def pace(self, speed: float) -> None:
        """Go at another speed from now on; no time is lost. Call from the loop itself."""
        self._then, self._since = self.time(), super().time()
        self._selecting.speed = speed
