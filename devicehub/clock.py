"""The only module that reads time or chance. Everything else is given a `Clock`."""

import asyncio
import ctypes
import random
import time
from collections.abc import Callable

from msgspec import Struct

from devicehub.model.reading import Stamp

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)


class Clock:
    """Wall time, monotonic time, waiting and chance.

    Monotonic time is the running loop's, so that a test's virtual loop moves everything at once.
    `utc` may be replaced for tests; `seed` makes chance repeatable. `boot` goes on while the machine sleeps (see
    `since_boot`); without it the machine is taken never to.
    """

    def __init__(
        self, *, utc: Callable[[], float] = time.time, boot: Callable[[], float] | None = None, seed: int | None = None
    ) -> None:
        self._utc = utc
        self._boot = boot
        self.random = random.Random(seed) if seed is not None else random.SystemRandom()
        self._last_ms = -1
        self._last_tail = 0
        self._head, self._head_digits = -1, ""

    def utc(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return self._utc()

    def monotonic(self) -> float:
        """Seconds of the running loop's clock. Only differences mean anything."""
        return asyncio.get_running_loop().time()

    def stamp(self) -> Stamp:
        """Both clocks at this instant."""
        return Stamp(self._utc(), asyncio.get_running_loop().time())

    def boot(self) -> float:
        """Monotonic seconds that go on while the machine sleeps. Only differences mean anything."""
        return self.monotonic() if self._boot is None else self._boot()

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
        # 13 pairs of digits. Those made in one millisecond differ in the last two pairs, hardly ever in more.
        number = ms << 80 | tail
        if number >> 20 != self._head:
            self._head = number >> 20
            self._head_digits = "".join(_PAIRS[self._head >> bits & 1023] for bits in range(100, -1, -10))
        return f"{self._head_digits}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}"


def repeatable(seed: int | str) -> random.Random:
    """Chance that is the same for the same seed; for what is simulated, never for keys."""
    return random.Random(seed)


def since_boot() -> float:
    """Seconds since the machine was started, asleep or not; only awake where the system counts no others."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockQuality(Struct, frozen=True):
    """What the kernel knows of the wall clock. `synchronised`: None where it does not say.

    Seconds: the last measured `offset` to the reference, and how wrong the clock may be at most.
    """

    synchronised: bool | None = None
    offset: float = 0.0
    max_error: float = 0.0


def clock_quality() -> ClockQuality:
    """See adjtimex(2); every time service keeps the kernel told."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "adjtimex"):
        return ClockQuality()
    state = _Timex()
    if library.adjtimex(ctypes.byref(state)) < 0:
        return ClockQuality()
    unit = 1e-9 if state.status & _STA_NANO else 1e-6
    return ClockQuality(not state.status & _STA_UNSYNC, state.offset * unit, state.maxerror * 1e-6)


_STA_UNSYNC, _STA_NANO = 0x0040, 0x2000


class _Timex(ctypes.Structure):
    """`struct timex` of linux/timex.h up to `status`; `modes` 0 only reads. What follows is room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )
