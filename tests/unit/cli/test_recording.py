"""What `record` writes replays exactly, however unevenly packets and timers come."""

from random import Random
from typing import cast

import pytest

from devicehub.cli.recording import Recording
from devicehub.driver import SerialLink
from devicehub.record import Line, parse, run_transcript
from devicehub.registry import driver_names, load_driver, load_simulator
from devicehub.simulator import SerialSimulator
from devicehub.wire.packet import Packet

SERIAL = [name for name in driver_names() if isinstance(load_driver(name).link, SerialLink)]


def converse(name: str, seed: int, seconds: float) -> list[Line]:
    """A serial device and its driver, with ticks of uneven length that are no hundredths."""
    random = Random(seed)
    lines: list[Line] = []
    simulator = cast(SerialSimulator, load_simulator(name)(Random(seed)))
    simulator.do("demo")
    recording = Recording(load_driver(name).open({}), lines.append)
    writes, now = recording.start(), 0.0
    while now < seconds:
        answers = [simulator.on_bytes(packet.data) for packet in writes]
        dt = random.uniform(0.0001, 0.05)
        now += dt
        answers.append(simulator.advance(dt))
        writes = recording.timers(now)
        for answer in filter(None, answers):
            cut = random.randint(0, len(answer))
            for part in filter(None, (answer[:cut], answer[cut:])):
                writes += recording.packet(now, Packet(part))
    recording.end()
    return lines


@pytest.mark.parametrize("name", SERIAL)
@pytest.mark.parametrize("seed", range(3))
def test_a_recording_replays_exactly(name: str, seed: int) -> None:
    written = [str(line) for line in converse(name, seed, 20.0)]
    assert any(" = " in line for line in written)
    replayed = run_transcript(load_driver(name).open({}), parse("\n".join(written)))
    assert [str(line) for line in replayed] == written
