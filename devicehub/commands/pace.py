"""How many of what others send are looked at: a steady pace with room for a burst."""

from typing import Final

PER_SECOND: Final = 10.0
BURST: Final = 50.0


class Pace:
    """A bucket of `burst` tokens that refills with `per_second`. Times are monotonic seconds."""

    def __init__(self, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be looked at."""
        self._tokens = min(self._burst, self._tokens + max(now - self._at, 0.0) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
