"""How many commands are looked at: a steady pace with room for a burst."""

from typing import Final

PER_SECOND: Final = 10.0
BURST: Final = 50.0


class Pace:
    """A bucket of `BURST` tokens that refills with `PER_SECOND`. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._tokens = BURST
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be looked at."""
        self._tokens = min(BURST, self._tokens + max(now - self._at, 0.0) * PER_SECOND)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
