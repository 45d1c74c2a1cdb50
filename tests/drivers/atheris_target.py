"""Coverage-guided bytes for every driver, by Atheris: `python -m tests.drivers.atheris_target CORPUS [libFuzzer options]`.

An input is a byte that names the driver, then packets: a byte that says port and pause, one that says how long, the
bytes. A driver that raises, hangs or says what it never declared ends the run with the input printed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import atheris

from devicehub.driver import Driver
from devicehub.registry import driver_names, load_driver
from devicehub.wire.packet import Packet
from tests.conformance import recorded_packets
from tests.drivers.hostile import HANG, TIMES, Trial

LONGEST = 300


def packets(data: bytes, ports: list[str]) -> Iterator[tuple[Packet, float]]:
    """An input as packets and the seconds before each."""
    at = 1
    while at + 1 < len(data):
        how, size = data[at], data[at + 1]
        yield Packet(data[at + 2 : at + 2 + size], ports[how % len(ports)]), TIMES[(how >> 4) % len(TIMES)]
        at += 2 + size


def places(name: str) -> list[str]:
    """Where bytes of a driver's device were seen to come from."""
    return sorted({packet.port for packet in recorded_packets(name)})


def plant(corpus: Path, number: int, name: str) -> None:
    """What was recorded, as inputs to begin with: each the next packets that fit."""
    ports, seed, count = places(name), bytes([number]), 0
    for packet in recorded_packets(name):
        if len(packet.data) < 256:
            told = bytes([ports.index(packet.port), len(packet.data)]) + packet.data
            if len(seed) + len(told) > LONGEST:
                (corpus / f"{name}-{count}").write_bytes(seed)
                seed, count = bytes([number]), count + 1
            seed += told
    (corpus / f"{name}-{count}").write_bytes(seed)


def attack(data: bytes, drivers: list[tuple[Driver, list[str]]]) -> None:
    """One input to one driver."""
    if not data:
        return
    driver, ports = drivers[data[0] % len(drivers)]
    trial = Trial(driver, driver.open({}))
    trial.start()
    for packet, after in packets(data, ports):
        trial.packet(packet, after)
    assert trial.slowest < HANG, f"{driver.name} took {trial.slowest:.3f} s"


def main() -> None:
    """See the module's docstring."""
    corpus = Path(sys.argv[1])
    with atheris.instrument_imports(include=["drivers"]):
        drivers = [(load_driver(name), places(name)) for name in driver_names()]
    for number, (driver, _) in enumerate(drivers):
        plant(corpus, number, driver.name)
    atheris.Setup([sys.argv[0], f"-max_len={LONGEST}", *sys.argv[1:]], lambda data: attack(data, drivers))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
