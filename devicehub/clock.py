"""The only module that reads time or chance. Everything else is given a `Clock`."""

import asyncio
import base64
import random
import time
from collections.abc import Callable

from devicehub.model.reading import Stamp

_CROCKFORD = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class Clock:
    """Wall time, monotonic time, waiting and chance.

    Monotonic time is the running loop's, so that a test's virtual loop moves everything at once.
    `utc` and `monotonic` may be replaced for tests; `seed` makes chance repeatable.
    """

    def __init__(self, *, utc: Callable[[], float] = time.time, seed: int | None = None) -> None:
        self._utc = utc
        self.random = random.Random(seed) if seed is not None else random.SystemRandom()
        self._last_ms = -1
        self._last_tail = 0

    def utc(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return self._utc()

    def monotonic(self) -> float:
        """Seconds of the running loop's clock. Only differences mean anything."""
        return asyncio.get_running_loop().time()

    def stamp(self) -> Stamp:
        """Both clocks at this instant."""
        return Stamp(self._utc(), asyncio.get_running_loop().time())

    async def sleep(self, seconds: float) -> None:
        """Wait; negative is zero."""
        await asyncio.sleep(max(seconds, 0.0))

    def jitter(self, most: float) -> float:
        """A uniform random number of seconds in 0..most (full jitter)."""
        return self.random.uniform(0.0, most)

    def token(self, size: int) -> bytes:
        """Random bytes, fit for keys unless chance is seeded."""
        return self.random.randbytes(size)

    def ulid(self) -> str:
        """A new ULID, monotonic within this process even when the wall clock steps back."""
        ms = max(int(self._utc() * 1000), self._last_ms)
        tail = self._last_tail + 1 if ms == self._last_ms else self.random.getrandbits(80) >> 1
        self._last_ms, self._last_tail = ms, tail
        # 160 bits are 32 digits of base 32; a ULID is the last 26 of them.
        return base64.b32hexencode((ms << 80 | tail).to_bytes(20, "big")).translate(_CROCKFORD)[6:].decode("ascii")
