"""A Geiger counter that keeps a log: `Radiation` with a clock of its own and a memory, as GQ writes it.

Written from the same sources as the codec and shares no code with it: see `devicehub.devicefile.memory.gq_gmc`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from devicehub.devicefile.physics.model import Options, Quantities, number
from devicehub.devicefile.physics.radiation import Radiation

_OWN = ("since", "before", "stamped")


class RadiationLog(Radiation):
    """Counts of whole seconds, each of which is saved.

    Options beside those of `Radiation`: `since`, its clock when it is switched on, in seconds since 1970; `before`,
    seconds that it had logged by then; `stamped`, seconds from one time in the log to the next. Verbs beside those:
    `clock(seconds)` puts its clock on, or back; `away(seconds)` logs that long without anybody connected;
    `note(text)` is written into the log. It is set by the request `set_clock` and read by those with an address.
    """

    def __init__(self, random: Random, options: Options) -> None:
        super().__init__(random, {name: value for name, value in options.items() if name not in _OWN})
        self._stamped = int(number(options, "stamped", 180))
        self._clock = datetime.fromtimestamp(number(options, "since", 1_795_420_800), UTC)
        self._unstamped = self._stamped
        self._log = bytearray()
        self._window = (0, 1)
        self.do("away", seconds=number(options, "before", 420))

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "clock":
            self._set(self._clock + timedelta(seconds=float(values["seconds"])))
        elif verb == "away":
            for _ in range(int(float(values["seconds"]))):
                self._second()
        elif verb == "note":
            text = str(values["text"]).encode("ascii")
            self._log += b"\x55\xaa\x04" + bytes([len(text)]) + text
        else:
            super().do(verb, **values)

    def asked(self, request: str, sent: Mapping[str, float | str]) -> None:
        """Its clock is set, or a window of its memory opened."""
        if "address" in sent:
            self._window = int(sent["address"]), int(sent["size"])
        elif request == "set_clock":
            date = [int(sent[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
            self._set(datetime.strptime("{:02}{:02}{:02}{:02}{:02}{:02}Z".format(*date), "%y%m%d%H%M%S%z"))

    def _set(self, clock: datetime) -> None:
        self._clock, self._unstamped = clock, self._stamped

    def _second(self) -> None:
        super()._second()
        if self._unstamped >= self._stamped:
            self._unstamped = 0
            when = self._clock
            date = bytes([when.year - 2000, when.month, when.day, when.hour, when.minute, when.second])
            self._log += bytes.fromhex("55aa00") + date + bytes.fromhex("55aa01")
        self._unstamped += 1
        self._clock += timedelta(seconds=1)
        count = min(self._counts, 0xFFFF)
        self._log += bytes([count]) if count < 0xFF else b"\x55\xaa\x01" + count.to_bytes(2, "big")

    def quantities(self) -> Quantities:
        """Beside those of `Radiation`: `memory`, the window that was asked for, and `year` ... `second`."""
        at, size = self._window
        when = self._clock
        return {
            **super().quantities(), "memory": bytes(self._log[at : at + size]).ljust(size, b"\xff"),
            "year": when.year - 2000, "month": when.month, "day": when.day, "hour": when.hour,
            "minute": when.minute, "second": when.second,
        }  # fmt: skip
