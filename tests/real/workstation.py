"""A workstation for tests of `devicehub run`: a configuration, and devices on pseudo-terminals that outlive every hub."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from devicehub.clock import Clock
from devicehub.transport.pty import SimulatedLine
from drivers.trace.aci_pids3 import encode
from simulators.trace.aci_pids3 import AciPids3
from tests.real.hub_process import journal_facts, until
from tests.real.mosquitto import Mosquitto

PREFIX = "devicehub-sim/v1/s/n"
ALARM = "vapour-1/voc-high"


class Workstation:
    """A folder with a configuration, and vapour detectors on pseudo-terminals that outlive every hub."""

    def __init__(self, folder: Path, broker: Mosquitto, protocol: str = "auto") -> None:
        self.folder = folder
        self.journal = folder / "state" / "journal.sqlite"
        self._lines = [_line(folder, number) for number in (1, 2, 3)]
        devices = "".join(
            f'[[device]]\nid = "vapour-{number}"\ndriver = "trace.aci_pids3"\nport = "{line.path}"\n'
            for number, line in enumerate(self._lines, 1)
        )
        (folder / "devicehub.toml").write_text(
            '[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "state"\n'
            f'[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\nprotocol = "{protocol}"\n{devices}'
            '[[limit]]\ndevice = "vapour-1"\nchannel = "voc"\nhigh = 20.0\nhysteresis = 2.0\n'
        )

    def vapour(self, ppm: float) -> None:
        """What the first detector shows from now on, its own slowness left out."""
        self._lines[0].simulator.do("vapour", ppm=ppm)
        self._lines[0].simulator.advance(60.0)

    def stored(self) -> int:
        """The last number of the journal's stream of events."""
        return journal_facts(self.journal).get("number.events", 0) if self.journal.exists() else 0

    async def stored_more(self, count: int) -> int:
        """Wait until `count` events more are in the journal; the number of the last one."""
        before = self.stored()
        await until(lambda: self.stored() >= before + count)
        return self.stored()

    async def close(self) -> None:
        for line in self._lines:
            await line.close()


def _measuring(number: int) -> AciPids3:
    """A detector whose lamp has been lit for long."""
    detector = AciPids3(Random(number))
    detector.on_bytes(encode("pids.start"))
    detector.advance(60.0)
    return detector


def _line(folder: Path, number: int) -> SimulatedLine:
    line = SimulatedLine(lambda: _measuring(number), Clock(), link=folder / f"tty{number}")
    line.plug()
    return line


@asynccontextmanager
async def workstation(folder: Path, broker: Mosquitto, protocol: str = "auto") -> AsyncIterator[Workstation]:
    station = Workstation(folder, broker, protocol)
    try:
        yield station
    finally:
        await station.close()
