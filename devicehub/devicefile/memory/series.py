"""A stored series: values at equal steps of the device's own time."""

import struct
import zlib
from datetime import UTC, datetime

from msgspec import Struct

from devicehub.model.reading import Axis, Layout, Spectrum
from devicehub.model.units import Unit


def instant(year: int, *rest: int) -> float:
    """A date and time of day, by a clock in UTC, in seconds since 1970. Raises `ValueError`."""
    month, day, hour, minute, second = rest
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


class Series(Struct, frozen=True):
    """Values of a log. `stamp`: when the log wrote its time last, in the device's time as seconds since 1970.

    `start`: seconds from there to the first value; `step`: from one to the next. `defects`: what is wrong with it.
    """

    stamp: float
    start: float
    step: float
    mode: str
    values: tuple[int, ...]
    defects: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The values, 32 bits each."""
        return struct.pack(f"<{len(self.values)}I", *self.values)

    @property
    def record(self) -> str:
        """Its id: the time that the log wrote, the place behind it, and the content.

        A device whose clock begins anew at each start writes one time twice: the content tells the two apart.
        """
        when = datetime.fromtimestamp(self.stamp, UTC)
        return f"{when:%Y%m%dT%H%M%S}+{self.start:g}-{zlib.crc32(self.data):08x}"

    def spectrum(self, channel: str) -> Spectrum:
        """The values over the seconds from the first of them on."""
        axis = Axis(Unit.SECOND, step=self.step)
        return Spectrum(channel, self.data, Layout.U32LE, axis, mode=self.mode, defects=self.defects)
