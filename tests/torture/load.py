"""Lines that are written to pseudo-terminals faster than any detector speaks, each with a number of its own."""

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from devicehub.clock import Clock
from devicehub.wire.checksum import xor8

ROOT = Path(__file__).parents[2]
THRESHOLD = 900.0


class Lines:
    """`count` line sensors, which outlive every hub that reads them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.paths = [folder / f"tty{number}" for number in range(count)]
        self._ends: list[int] = []
        self._written = 0
        for path in self.paths:
            ours, theirs = pty.openpty()
            tty.setraw(theirs)
            path.symlink_to(os.ttyname(theirs))
            os.close(theirs)
            os.set_blocking(ours, False)
            self._ends.append(ours)

    async def speak(self, per_second: float, clock: Clock) -> None:
        """For ever: one line of each sensor in turn. One in fifty is above the limit, so that alarms come and go."""
        while True:
            for number, end in enumerate(self._ends):
                self._say(number, end)
            await clock.sleep(len(self.paths) / per_second)

    def _say(self, number: int, end: int) -> None:
        self._written += 1
        value = 950.0 if (self._written // len(self.paths)) % 50 == number else 20.0
        body = f"D{number:04d},{self._written:08d},{10**15 + self._written},{value:+08.2f}".encode()
        try:
            os.write(end, b"$" + body + b"*%02X\r\n" % xor8(body))
        except (BlockingIOError, OSError):
            return  # nobody reads at the moment: what a device says then is nobody's event

    def close(self) -> None:
        """Unplug them all."""
        ends, self._ends = self._ends, []
        for end in ends:
            os.close(end)


@asynccontextmanager
async def speaking(folder: Path, count: int, per_second: float) -> AsyncIterator[Lines]:
    """Sensors that speak while the context is open."""
    lines = Lines(folder, count)
    task = asyncio.create_task(lines.speak(per_second, Clock()))
    try:
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        lines.close()


def configured(folder: Path, lines: Sequence[Path], port: int) -> Path:
    """A configuration for these sensors and a broker on that port of loopback."""
    devices = "".join(
        f'[[device]]\nid = "d{number}"\ndriver = "screening.line_sensor"\nport = "{path}"\n'
        f'[[limit]]\ndevice = "d{number}"\nchannel = "value"\nhigh = {THRESHOLD}\ncategory = "device"\n'
        for number, path in enumerate(lines)
    )
    path = folder / "devicehub.toml"
    path.write_text(
        f'[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\n{devices}'
    )
    return path
