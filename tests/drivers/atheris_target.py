"""Coverage-guided bytes for drivers, by Atheris: `python -m tests.drivers.atheris_target FOLDER RUNS [DRIVER ...]`.

An input is one packet as `inputs.py` says: literal bytes, or with edits a packet that was recorded or that comes next in a
conversation, so that a short input reaches the inside of a large frame. A protocol takes `LIFE` of them. Every second life
begins anew, and its conversation is what was recorded; the others begin in the middle of a simulated conversation
(`underway.py`), in turn at each of its places. Packets of more than `LONGEST` bytes are given among the first `EARLY` of a
life alone, one input in five at most, and later a small one in their stead: a frame of 200 kB takes ten or a hundred
times as long, and one that comes in pieces is only made where they come one after the other.

What is instrumented is the drivers and the package that they stand on, once: each driver has a process that is forked
from that, with RUNS inputs and a corpus of its own, which begins with every recorded packet. A driver that raises, hangs
or says what it never declared ends the run, and the packets of its life are printed; so does one of which no input brought
a channel. What inputs brought stands on the last line of each driver.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["drivers", "devicehub"]):
    from devicehub.driver import Driver
    from devicehub.registry import driver_names, load_driver
    from devicehub.wire.packet import Packet
    from tests.conformance import recorded_packets
    from tests.drivers.hostile import HANG, LIFE, TIMES, Trial, seal_of
    from tests.drivers.inputs import ELSEWHERE, LITERAL, NEXT, RECORDED, SEALED, TIME, WHAT, edited
    from tests.drivers.underway import Place, underway
    from tests.virtual_loop import VirtualTimeLoop

    DRIVERS = {name: load_driver(name) for name in driver_names()}

LONGEST = 300
MORE = 32
EARLY = 48
Apart = tuple[Packet, float]
"""A packet, and the seconds that pass before it."""


class Target:
    """One driver, input by input."""

    def __init__(self, driver: Driver, places: Sequence[Place], runs: int) -> None:
        self._driver, self._places, self._runs = driver, places, runs
        self._recorded = recorded_packets(driver.name)
        self._small = [packet for packet in self._recorded if len(packet.data) <= LONGEST] or [Packet(b"")]
        self._ports = sorted({packet.port for packet in self._recorded})
        self._seal = seal_of(driver.name)
        self.longest = min(LONGEST, MORE + max(len(packet.data) for packet in self._recorded))
        self._inputs = self._large = self._lives = self._next = 0
        self.reached = set[str]()
        self._life: list[Packet] = []
        self._begin()

    def _begin(self) -> None:
        """A life: every second one in the middle of a conversation."""
        self._life.clear()
        self._next = 0
        number, midway = divmod(self._lives, 2)
        self._lives += 1
        if midway:
            place = self._places[number % len(self._places)]
            self._whence = f"place {number % len(self._places)} of {len(self._places)}"
            self._trial, self._following = place.resumed(), place.following
        else:
            self._whence = "nothing"
            self._trial = Trial(self._driver, self._driver.open({}))
            self._trial.start()
            self._following = [(packet, TIMES[0]) for packet in self._recorded]
        self._trial.reached = self.reached

    def plant(self, corpus: Path) -> None:
        """Inputs to begin with: every recorded packet by its number, and small ones literally; what comes next."""
        seeds = [bytes((NEXT,)), bytes((NEXT | SEALED,))]
        for number, packet in enumerate(self._recorded):
            seeds.append(bytes((RECORDED, number)))
            if len(packet.data) + 2 <= self.longest:
                seeds.append(bytes((LITERAL, self._ports.index(packet.port))) + packet.data)
        for number, seed in enumerate(seeds):
            (corpus / f"{number:03}").write_bytes(seed)

    def take(self, data: bytes) -> None:
        """One input."""
        if self._trial.executions >= LIFE:
            self._begin()
        self._inputs += 1
        try:
            packet, after = self._meant(data)
            self._life.append(packet)
            self._trial.packet(packet, after)
            assert self._trial.slowest < HANG, f"{self._driver.name} took {self._trial.slowest:.3f} s"
            if self._inputs == self._runs:
                self._tell()
        except Exception:
            print(
                f"{self._driver.name}, from {self._whence} on, packets of this life:",
                *self._life,
                sep="\n",
                file=sys.stderr,
            )
            raise

    def _meant(self, data: bytes) -> Apart:
        """The packet of an input."""
        how, which = (data + bytes(2))[:2]
        after, what = TIMES[(how >> TIME) % len(TIMES)], how & WHAT
        port = self._ports[which % len(self._ports)]
        if what == LITERAL:
            return Packet(data[2:], port), after
        if what == RECORDED:
            packet, edits = self._allowed(self._recorded[which % len(self._recorded)], which), data[2:]
        else:
            packet, after = self._following[self._next % len(self._following)]
            self._next += 1
            packet, edits, port = self._allowed(packet, which), data[1:], self._ports[(how >> TIME) % len(self._ports)]
        content = edited(packet.data, edits)
        if how & SEALED and self._seal is not None:
            content = self._seal(content)
        return Packet(content, port if how & ELSEWHERE else packet.port), after

    def _allowed(self, packet: Packet, which: int) -> Packet:
        """A packet, or a small one instead of it, so that those that are not stay rare."""
        if len(packet.data) <= LONGEST:
            return packet
        if self._trial.executions >= EARLY:
            return self._small[which % len(self._small)]
        self._large += 1
        return packet

    def _tell(self) -> None:
        missed = {channel.name for channel in self._driver.channels} - self.reached
        assert not missed, f"{self._driver.name}: no input brought {', '.join(sorted(missed))}"
        print(f"{self._driver.name}, {self._large} large, brought:", *sorted(self.reached), file=sys.stderr, flush=True)


async def places_of(name: str, found: list[Place]) -> None:
    """Where lives begin that do not begin anew. It is no task's result, which asyncio would write out in full."""
    found.extend((await underway(name)).places)


def attack(name: str, folder: Path, runs: int) -> None:
    """All inputs to one driver. Does not return."""
    places: list[Place] = []
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(places_of(name, places))
    gc.freeze()
    target, corpus = Target(DRIVERS[name], places, runs), folder / name
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
