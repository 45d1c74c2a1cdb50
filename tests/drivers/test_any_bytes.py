"""Any bytes give samples or typed faults, whoever made them up: chance, Atheris, or somebody who pulls the plug.

`DEVICEHUB_TORTURE=N` in the environment makes N times as many. By default each driver gets 10^5 packets of chance in
the test here, and all drivers together a thousand each that Atheris finds by the branches they take; a
hundred times that is 10^5 each.
"""

import copy
import copyreg
import gc
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import pytest

from devicehub.driver import Driver, Options
from devicehub.record import Line, parse, run_transcript
from devicehub.registry import driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step, decoded
from tests.conformance import options_of, recorded_packets, transcripts
from tests.drivers.hostile import HANG, LIFE, MULTIPLE, TIMES, Hostile, Trial, retained

EXECUTIONS = 100_000 * MULTIPLE
BEHIND_FRAMES = 20_000 * MULTIPLE
INPUTS = 1_000 * MULTIPLE
EDGES = 32
LARGE = 1024
HELD_MOST = 4 * 1024 * 1024
copyreg.pickle(MappingProxyType, lambda proxy: (MappingProxyType, (dict(proxy),)))  # what a protocol has of constants
each_driver = pytest.mark.parametrize("name", driver_names())


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """What other tests left behind is not looked through while a driver is timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@each_driver
def test_100_000_packets_of_chance_give_samples_or_typed_faults_without_a_hang_and_in_bounded_memory(name: str) -> None:
    driver = load_driver(name)
    hostile = Hostile(name, 1, recorded_packets(name))
    packets = iter(hostile)
    for life in range(EXECUTIONS // LIFE):
        trial, given = Trial(driver, driver.open({})), list(islice(packets, LIFE))
        trial.start()
        for packet in given:
            trial.packet(packet, hostile.random.choice(TIMES))
        assert trial.slowest < HANG, f"{name}, life {life}: {trial.slowest:.3f} s"
        if life % 20 == 0:
            assert retained(trial.protocol) < HELD_MOST


@pytest.mark.parametrize("name", [name for name in driver_names() if load_driver(name).decode is not None])
def test_what_lies_behind_the_checks_of_frames_gives_samples_or_typed_faults(name: str) -> None:
    """`decode` gets frames whose checks a damage would never have passed."""
    driver = load_driver(name)
    assert driver.decode is not None
    framer = driver.framer()
    frames = [frame for packet in recorded_packets(name) for frame in framer.feed(packet.data)]
    good = [Packet(frame) for frame in frames if isinstance(frame, bytes)]
    trial = Trial(driver, driver.open({}))
    for packet in islice(Hostile(name, 2, good), BEHIND_FRAMES):
        samples, faults = decoded(driver.decode, [packet.data])
        trial.look(Step((), tuple(samples), tuple(faults)), packet.data)


@each_driver
def test_a_device_unplugged_at_any_byte_leaves_typed_faults_and_begins_anew(name: str) -> None:
    """A protocol serves one link: what another one had half read is nowhere in the next."""
    driver = load_driver(name)
    for path in transcripts(name):
        text = path.read_text()
        settings, lines = options_of(text), parse(text, path.name)
        first, known = driver.open(settings).start(0.0), set[tuple[str, int]]()
        for trial, packet in conversation(driver, settings, lines):
            for cut in cuts(packet, known):
                half = Trial(driver, copy.deepcopy(trial.protocol), trial.now, step=trial.step)
                half.packet(Packet(packet.data[:cut], packet.port), 0.0)
                half.silence()
                assert half.slowest < HANG
                assert driver.open(settings).start(0.0) == first
        assert [str(line) for line in run_transcript(driver.open(settings), lines)] == [str(line) for line in lines]


def conversation(driver: Driver, settings: Options, lines: Iterable[Line]) -> Iterator[tuple[Trial, Packet]]:
    """A transcript as it happens: what came, and what it came to."""
    trial = Trial(driver, driver.open(settings))
    trial.start()
    for line in lines:
        if line.sign == "<" and line.packet is not None:
            trial.pass_time(line.at)
            yield trial, line.packet
            trial.packet(line.packet, 0.0)


def cuts(packet: Packet, known: set[tuple[str, int]]) -> Iterable[int]:
    """Every byte of a frame, of an image its ends and so many between; where one like it was cut before, a few."""
    size, kind = len(packet.data), (packet.port, len(packet.data))
    if kind in known:
        return sorted({0, size // 3, size * 2 // 3, max(size - 1, 0)})
    known.add(kind)
    if size <= LARGE:
        return range(size)
    return sorted({*range(EDGES), *range(size - EDGES, size), *range(EDGES, size, max(size // (EDGES * MULTIPLE), 1))})


def test_atheris_finds_nothing_that_raises_or_hangs(tmp_path: Path) -> None:
    """Coverage-guided, one process for all drivers."""
    if find_spec("atheris") is None:
        pytest.skip("Atheris is not installed: it has no wheel for this Python or processor")
    runs = INPUTS * len(driver_names())
    options = [str(tmp_path), f"-runs={runs}", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.drivers.atheris_target", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert f"Done {runs} runs" in done.stderr
