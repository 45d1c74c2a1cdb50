"""Coverage-guided bytes for drivers, by Atheris: `python -m tests.drivers.atheris_target FOLDER RUNS [DRIVER ...]`.

An input is one packet: a byte that says from where it comes and how long after the last, and its bytes. A protocol
takes `LIFE` of them, then it is opened anew. What is instrumented is the drivers and the package that they stand on,
once: each driver has a process that is forked from that, with RUNS inputs and a corpus of its own. A driver that
raises, hangs or says what it never declared ends the run, and the packets of its life are printed.
"""

import gc
import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["drivers", "devicehub"]):
    from devicehub.driver import Driver
    from devicehub.registry import driver_names, load_driver
    from devicehub.wire.packet import Packet
    from tests.conformance import recorded_packets
    from tests.drivers.hostile import HANG, LIFE, TIMES, Trial

    DRIVERS = {name: load_driver(name) for name in driver_names()}

LONGEST = 300
MORE = 32


class Target:
    """One driver, packet by packet."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._recorded = recorded_packets(driver.name)
        self._ports = sorted({packet.port for packet in self._recorded})
        self.longest = min(LONGEST, MORE + max(len(packet.data) for packet in self._recorded))
        self._life: list[Packet] = []
        self._trial = self._opened()

    def _opened(self) -> Trial:
        self._life.clear()
        trial = Trial(self._driver, self._driver.open({}))
        trial.start()
        return trial

    def plant(self, corpus: Path) -> None:
        """What was recorded, as inputs to begin with."""
        for number, packet in enumerate(self._recorded):
            if len(packet.data) < self.longest:
                (corpus / str(number)).write_bytes(bytes([self._ports.index(packet.port)]) + packet.data)

    def take(self, data: bytes) -> None:
        """One input."""
        how = data[0] if data else 0
        packet = Packet(data[1:], self._ports[how % len(self._ports)])
        if self._trial.executions == LIFE:
            self._trial = self._opened()
        self._life.append(packet)
        try:
            self._trial.packet(packet, TIMES[(how >> 4) % len(TIMES)])
            assert self._trial.slowest < HANG, f"{self._driver.name} took {self._trial.slowest:.3f} s"
        except Exception:
            print(f"{self._driver.name}, packets of this life:", *self._life, sep="\n", file=sys.stderr)
            raise


def attack(name: str, folder: Path, runs: int) -> None:
    """All inputs to one driver. Does not return."""
    target, corpus = Target(DRIVERS[name]), folder / name
    corpus.mkdir()
    target.plant(corpus)
    options = [
        f"-runs={runs}",
        "-seed=1",
        f"-max_len={target.longest}",
        f"-artifact_prefix={folder}/{name}-",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], target.take)
    atheris.Fuzz()


def main() -> int:
    """See the module's docstring. The drivers that were beaten are the exit code's reason."""
    folder, runs = Path(sys.argv[1]), int(sys.argv[2])
    gc.freeze()
    for name in sys.argv[3:] or DRIVERS:
        print(f"{name}:", file=sys.stderr, flush=True)
        if (child := os.fork()) == 0:
            attack(name, folder, runs)
        _, status, took = os.wait4(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return 1
        print(f"{name} {took.ru_utime:.0f} s", end=" ", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
