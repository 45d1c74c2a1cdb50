"""Any bytes give samples or typed faults, whoever made them up: chance, Atheris, or somebody who pulls the plug.

Each driver gets 10^5 packets in lives whose seeds Hypothesis draws, and 10^5 that Atheris finds by the branches they
take. `DEVICEHUB_TORTURE=N` in the environment makes N times as many. How many it were stands in the summary of the run.
"""

import gc
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, cycle, islice, pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devicehub.driver import Driver, Options
from devicehub.record import Line, parse
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step, decoded
from tests.conformance import options_of, recorded_packets, transcripts
from tests.drivers.hostile import HANG, LIFE, MULTIPLE, Hostile, Trial, retained
from tests.drivers.simulated_hour import heard
from tests.drivers.underway import SIMULATED, Place, conversation, copied, described, told, underway
from tests.programs import needed_package

EXECUTIONS = 100_000 * MULTIPLE
BEHIND_FRAMES = 20_000 * MULTIPLE
INPUTS = 100_000 * MULTIPLE
FRESH = 0.5
ONWARD = 12
HEAD = 6
LARGE = 1024
RUN = 128 * 1024
SAMPLED = 4
GOLDEN = 0.618034
LOOKS, TURN, LEAST_KEPT = 16, 1 << 20, 16
HALVES, AGAIN = 5, 60
STRIDE = 61 if MULTIPLE == 1 else 1
LIVES = settings(
    derandomize=True, database=None, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
HELD_MOST = 4 * 1024 * 1024
Kind = tuple[str, int, bytes]
each_driver = pytest.mark.parametrize("name", driver_names())


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    """What other tests left behind is not looked through while a driver is timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@each_driver
async def test_100_000_packets_of_chance_give_samples_or_typed_faults_without_a_hang_and_in_bounded_memory(
    name: str,
) -> None:
    """Lives of `LIFE` packets each: what Hypothesis draws is the seed of a life, which a failure names.

    Half of them begin with a protocol just opened, half in the middle of a simulated conversation: there the next `ONWARD`
    packets are those of the conversation, of any size, and now and then damaged. Together they reach whatever that
    reaches, which is every channel.
    """
    driver, spoken, lives = load_driver(name), await underway(name), count()
    trials: list[Trial] = []

    @given(st.integers(0, 2**64 - 1))
    @settings(LIVES, max_examples=EXECUTIONS // LIFE)
    def live(seed: int) -> None:
        trial, packets = begun(driver, seed, spoken.places)
        trials.append(trial)
        given = list(islice(packets, LIFE))
        for packet, after in given:
            trial.packet(packet, after)
        assert trial.slowest < HANG, f"{name}: {trial.slowest:.3f} s"
        if next(lives) % 20 == 0:
            assert retained(trial.protocol) < HELD_MOST  # and no more the longer it lives: see the next test

    live()
    reached = set[str]().union(*(trial.reached for trial in trials))
    assert reached >= spoken.reached
    assert reached >= {channel.name for channel in driver.channels}
    executions = sum(trial.executions for trial in trials)
    assert executions >= EXECUTIONS
    print(f"{executions} packets, {max(trial.slowest for trial in trials) * 1000:.0f} ms the slowest")


@each_driver
async def test_what_a_driver_holds_on_to_does_not_grow_the_longer_it_lives(name: str) -> None:
    """What it learns once may take room, and half a frame does. What it never lets go of grows from each look to those behind it."""
    places = (await underway(name)).places
    place = places[len(places) // 2]
    size = sum(len(packet.data) for packet, _ in place.following) // len(place.following)
    between = min(max(TURN // (size + 1), 10), 100)
    trial, hostile = place.resumed(), Hostile(name, 5, [packet for packet, _ in place.following])
    held = list[int]()
    while len(held) < LOOKS:
        for packet, after in hostile.onward(list(islice(cycle(place.following), between))):
            trial.packet(packet, after)
        held.append(retained(trial.protocol))
    least = min(later - earlier for earlier, later in zip(held[LOOKS // 2 : -4], held[LOOKS // 2 + 4 :], strict=True))
    assert least < 4 * between * LEAST_KEPT, held


def begun(driver: Driver, seed: int, places: Sequence[Place]) -> tuple[Trial, Iterator[tuple[Packet, float]]]:
    """A life: its protocol, and what it is going to hear after how long, which goes on from its place if it has one."""
    chance = Random(seed)
    if chance.random() < FRESH:
        trial, hostile = Trial(driver, driver.open({})), Hostile(driver.name, seed, recorded_packets(driver.name))
        trial.start()
        return trial, hostile.apart()
    place = chance.choice(places)
    hostile = Hostile(driver.name, seed, [packet for packet, _ in place.following])
    return place.resumed(), chain(hostile.onward(place.following[:ONWARD]), hostile.apart())


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
async def test_a_device_unplugged_at_any_byte_leaves_typed_faults_and_begins_anew(name: str) -> None:
    """At each byte; that the next link begins anew is looked at here by what it sends, and below by what it reads."""
    driver, shared, tried, frames = load_driver(name), described(name), 0, Counter[str]()
    large = dict[Kind, int]()
    for settings_of, lines in await recordings(name):
        first, known = driver.open(settings_of).start(0.0), dict(large)
        before = told(driver, settings_of, lines)
        assert transcripts(name) or not [line for line in before if line.sign == "!"]
        for trial, packet in conversation(driver, settings_of, lines):
            chosen = list(cuts(packet, known))
            tried += len(chosen)
            frames[how_many(len(chosen), len(packet.data))] += 1
            for cut in chosen:
                half = copied(trial, shared)
                half.packet(Packet(packet.data[:cut], packet.port), 0.0)
                half.silence()
                assert half.slowest < HANG
            assert driver.open(settings_of).start(0.0) == first
        assert known
        large |= {kind: count for kind, count in known.items() if kind[1] > LARGE}
        assert told(driver, settings_of, lines) == before
    print(f"unplugged {tried} times, " + ", ".join(f"{count} frames at {which}" for which, count in frames.items()))


@each_driver
async def test_what_one_link_had_half_read_is_nowhere_in_the_next(name: str) -> None:
    """A protocol serves one link. None is copied here, so that whatever drivers or framers have in common is in it."""
    driver, tried = load_driver(name), 0
    for settings_of, lines in await recordings(name):
        expected = told(driver, settings_of, lines[:AGAIN])
        count_of = sum(1 for _ in conversation(driver, settings_of, lines))
        for at in sorted({number * count_of // HALVES for number in range(min(HALVES, count_of))}):
            for share in (0.5, 1.0):
                trial, packet = next(islice(conversation(driver, settings_of, lines), at, None))
                trial.packet(Packet(packet.data[: int(share * (len(packet.data) - 1))], packet.port), 0.0)
                assert told(driver, settings_of, lines[:AGAIN]) == expected
                tried += 1
    assert tried


def how_many(chosen: int, size: int) -> str:
    """At which of its bytes a frame was cut."""
    if chosen >= size:
        return "every byte"
    return f"{SAMPLED} bytes at most" if chosen <= SAMPLED else f"every byte, or every {STRIDE}th of what repeats"


async def recordings(name: str) -> list[tuple[Options, list[Line]]]:
    """What the device says: the driver's transcripts, or for a device file, which has none, its simulated device."""
    texts = [(path.name, path.read_text()) for path in transcripts(name)]
    if not texts:
        return [({}, await heard(name, SIMULATED))]
    return [(options_of(text), parse(text, source)) for source, text in texts]


def cuts(packet: Packet, known: dict[Kind, int]) -> Iterable[int]:
    """Every byte of a frame; where one like it was cut before, `SAMPLED`: the ends, and others for each that is like it.

    Alike are those of one port and size, and of at most `LARGE` bytes with the same first ones. Of more than `RUN` bytes
    that are the same two over and over, as an image in a transcript is, every `STRIDE`-th. Where more is asked for than
    in CI, every frame is cut at every byte.
    """
    size = len(packet.data)
    kind = packet.port, size, packet.data[:HEAD] if size <= LARGE else b""
    before = known[kind] = known.get(kind, 0) + 1
    if before > 1 and MULTIPLE == 1:
        inner = ((before * part * GOLDEN) % 1 for part in range(1, SAMPLED - 1))
        return sorted({0, max(size - 1, 0), *(int(share * size) for share in inner)})
    return [cut for start, end, stride in stretches(packet.data) for cut in range(start, end, stride)]


def stretches(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The bytes of a packet as stretches from, to, and how far its cuts are apart."""
    content = np.frombuffer(data, np.uint8)
    changes = [-1, *(np.flatnonzero(content[2:] != content[:-2]) + 1).tolist(), len(data) - 1]
    at = 0
    for last, change in pairwise(changes):
        if change - last > RUN:
            yield from ((at, last + 1, 1), (last + 1, change, STRIDE))
            at = change
    yield at, len(data), 1


@pytest.mark.long
@pytest.mark.parametrize("of_files", [False, True], ids=["drivers in Python", "device files"])
def test_atheris_finds_nothing_that_raises_or_hangs(tmp_path: Path, *, of_files: bool) -> None:
    """Coverage-guided: so many inputs for each driver, all of them from one instrumented process; they bring every channel."""
    names = [name for name in driver_names() if (name in device_files()) == of_files]
    needed_package("atheris")
    command = [sys.executable, "-m", "tests.drivers.atheris_target", str(tmp_path), str(INPUTS), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stderr.count(f"Done {INPUTS} runs") == len(names)
    brought = dict(re.findall(r"^(\S+), \d+ large, brought:(.*)$", done.stderr, re.MULTILINE))
    for name in names:
        assert {channel.name for channel in load_driver(name).channels} <= set(brought[name].split()), name
    print(f"{INPUTS} inputs for each of {len(names)} drivers, by what they took of a processor: {done.stdout.strip()}")
