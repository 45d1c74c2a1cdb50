"""Protocols in the middle of a conversation with their simulated device, copied there: bytes go on from that place."""

import copy
import copyreg
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import cycle, islice
from types import MappingProxyType

from devicehub.devicefile.load import load
from devicehub.driver import Driver, Options
from devicehub.record import Line, step_lines
from devicehub.registry import device_files, load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from tests.drivers.hostile import Trial
from tests.drivers.simulated_hour import heard

SIMULATED = 130.0
SPREAD = 16
BROUGHT = 3
BEFORE = (0, 1, 3)
AHEAD = 64
copyreg.pickle(MappingProxyType, lambda proxy: (MappingProxyType, (dict(proxy),)))  # what a protocol has of constants


@dataclass(frozen=True, slots=True)
class Place:
    """A protocol as it was before a packet of its conversation.

    `following`: that packet and those behind it, each with the seconds that passed before it.
    """

    trial: Trial
    shared: dict[int, object]
    following: Sequence[tuple[Packet, float]]

    def resumed(self) -> Trial:
        """A copy, for a life of its own."""
        return copied(self.trial, self.shared)


@dataclass(frozen=True, slots=True)
class Underway:
    """Places in a conversation, and what all of it reached: channels, and kinds of samples that have none."""

    places: Sequence[Place]
    reached: set[str]


async def underway(name: str) -> Underway:
    """Places spread over a simulated conversation, and such as stand shortly before a sample, for every channel."""
    driver, lines, shared = load_driver(name), await heard(name, SIMULATED), described(name)
    brought = _brought(driver, lines)
    near = {max(at - before, 0) for found in brought.values() for at in _spread(found, BROUGHT) for before in BEFORE}
    chosen = near.union(_spread(range(len(lines)), SPREAD))
    packets = list(_apart(lines))
    places = [
        Place(copied(trial, shared), shared, [(packet, 0.0), *islice(cycle(packets), at + 1, at + AHEAD)])
        for at, (trial, packet) in enumerate(conversation(driver, {}, lines))
        if at in chosen
    ]
    return Underway(places, set(brought))


def _apart(lines: Sequence[Line]) -> Iterator[tuple[Packet, float]]:
    """What came, each with the seconds since what came before it."""
    before = 0.0
    for line in lines:
        if line.packet is not None:
            yield line.packet, line.at - before
            before = line.at


def _brought(driver: Driver, lines: Sequence[Line]) -> dict[str, list[int]]:
    """For everything reached: before which packets of the conversation it was about to come."""
    brought: dict[str, list[int]] = defaultdict(list)
    trial = Trial(driver, driver.open({}))
    for at, (trial, _) in enumerate(conversation(driver, {}, lines)):
        _note(brought, trial, at - 1)
    _note(brought, trial, len(lines) - 1)
    return brought


def _note(brought: dict[str, list[int]], trial: Trial, at: int) -> None:
    for one in trial.reached:
        brought[one].append(max(at, 0))
    trial.reached.clear()


def _spread(found: Sequence[int], most: int) -> list[int]:
    return [found[number * len(found) // most] for number in range(most)]


def copied(trial: Trial, shared: dict[int, object]) -> Trial:
    """The same protocol at the same time, for other packets."""
    return Trial(trial.driver, copy.deepcopy(trial.protocol, dict(shared)), trial.now, step=trial.step)


def described(name: str) -> dict[int, object]:
    """What protocols of a device file share and never change: for `deepcopy`, which then leaves it as it is."""
    if name not in device_files():
        return {}
    compiled = load(device_files()[name])
    parts = [getattr(compiled, one.name) for one in fields(compiled)]
    return {id(one): one for one in (compiled, *parts, *vars(compiled.file).values())}


def conversation(driver: Driver, settings_of: Options, lines: Iterable[Line]) -> Iterator[tuple[Trial, Packet]]:
    """A recording as it happens: what came, and what it came to."""
    return _lived(Trial(driver, driver.open(settings_of)), lines)


def told(driver: Driver, settings_of: Options, lines: Iterable[Line]) -> list[Line]:
    """Samples, faults and requests of a recording. What is due when something comes is done first: its answer may come."""
    trial = _Telling(driver, driver.open(settings_of))
    deque(_lived(trial, lines), maxlen=0)
    return trial.told


@dataclass(slots=True)
class _Telling(Trial):
    told: list[Line] = field(default_factory=list[Line])

    def look(self, step: Step, data: bytes) -> None:
        """As `Trial.look`; it is kept."""
        Trial.look(self, step, data)
        self.told.extend(step_lines(self.now, step))


def _lived(trial: Trial, lines: Iterable[Line]) -> Iterator[tuple[Trial, Packet]]:
    trial.start()
    for line in lines:
        if line.sign == "<" and line.packet is not None:
            trial.pass_time(line.at)
            yield trial, line.packet
            trial.packet(line.packet, 0.0)
