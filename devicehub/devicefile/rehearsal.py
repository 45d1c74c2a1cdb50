"""What a device file is worth before there is a device: played against its own simulator, and damaged bit by bit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.pieces import understood
from devicehub.devicefile.schema import VectorTable
from devicehub.devicefile.simulate import trial
from devicehub.devicefile.telling import Teller
from devicehub.devicefile.vectors import frames, impossible
from devicehub.model.device import Channel
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Measurement, Sample, Scan, Spectrum, Stored
from devicehub.wire.packet import Packet, usb_port, usb_read
from devicehub.wire.protocol import DeviceProtocol, Step

TICK: Final = 0.02
BITS_MOST: Final = 2000


@dataclass(slots=True)
class Played:
    """What came of a file's driver and simulator: samples by channel, and faults in words with their times.

    `impossible`: of these samples, values that are none of their channel, by channel: the hub says that they are bad.
    """

    seconds: float
    samples: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])
    impossible: Counter[str] = field(default_factory=Counter[str])
    silent: list[str] = field(default_factory=list[str])

    def hear(self, told: Sequence[Sample], channels: Mapping[str, Channel]) -> None:
        """Count them."""
        self.samples.update(one.channel for one in told if isinstance(one, Measurement | Spectrum | Image | Scan))
        self.impossible.update(one.channel for one in impossible(told, channels))


@dataclass(frozen=True, slots=True)
class Flipped:
    """One bit of a vector at a time flipped: how many there were, and how many were taken for another message."""

    bits: int
    taken: int


def play(compiled: Compiled, protocol: DeviceProtocol, seconds: float) -> Played:
    """A file's protocol and its simulator for `seconds` of no real time. `silent`: channels that gave nothing."""
    played, bench, now = Played(seconds), _Bench(compiled, protocol), 0.0
    try:
        while now < seconds:
            for step in bench.tick(now):
                told = [one.sample if isinstance(one, Stored) else one for one in step.samples]
                played.hear(told, compiled.channels)
                played.faults += [f"{now:.2f} s: {fault}" for fault in step.faults]
            now = round(now + TICK, 2)
    except ValueError as error:
        played.faults.append(f"{now:.2f} s: the simulator cannot say it: {error}")
    played.faults += [f"the simulator cannot say message {name}: {text}" for name, text in bench.unsayable()]
    played.silent += [name for name in compiled.channels if not played.samples[name]]
    return played


class _Bench:
    """A simulated device and its driver, joined by a line that takes one tick."""

    def __init__(self, compiled: Compiled, protocol: DeviceProtocol) -> None:
        link = compiled.file.link
        self._device = trial(compiled)
        self._device.do("demo")
        self._protocol = protocol
        self._usb = link.kind == "usb"
        self._port = usb_port(link.endpoint_in) if self._usb else next(iter(link.notify), "")
        self._nothing = usb_read(link.endpoint_in, link.transfer)
        self._coming: list[bytes] = []
        self._wake_at: float | None = None
        self._started = False

    def unsayable(self) -> list[tuple[str, str]]:
        """Messages whose values did not fit, and how."""
        return [(name, text) for (name, _), text in self._device.unsayable.items()]

    def tick(self, now: float) -> list[Step]:
        """What the driver does with what has come, and when its time has come."""
        steps = [] if self._started else [self._protocol.start(now)]
        self._started = True
        coming = [*self._coming, *self._device.advance(TICK)]
        steps += [self._protocol.on_packet(now, Packet(frame, self._port)) for frame in coming]
        wake_at = steps[-1].wake_at if steps else self._wake_at
        if wake_at is not None and wake_at <= now:
            steps.append(self._protocol.on_timer(now))
        self._wake_at = steps[-1].wake_at if steps else self._wake_at
        written = [packet for step in steps for packet in step.write if not self._usb or packet != self._nothing]
        self._coming = [frame for packet in written for frame in self._device.receive(packet.data)]
        return steps


def flip(compiled: Compiled) -> Flipped:
    """Every bit of every vector of a message, up to `BITS_MOST` of each."""
    outcomes = [
        _taken(compiled, vector, bytes(damaged))
        for vector in compiled.file.vector
        if vector.message is not None
        for damaged in _damaged(parse_bytes(vector.hex))
    ]
    return Flipped(len(outcomes), sum(outcomes))


def _damaged(data: bytes) -> Iterator[bytearray]:
    for bit in range(min(len(data) * 8, BITS_MOST)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        yield damaged


def _taken(compiled: Compiled, vector: VectorTable, data: bytes) -> bool:
    """Whether something was made of it without a fault or a doubt."""
    assert vector.message is not None
    faults: list[ProtocolError] = []
    try:
        found = list(frames(compiled, data))
        message, values = understood(compiled.codec, found, vector.message)
        Teller(compiled.meanings, (), untested=False).tell(message.name, values, faults)
        if message.table.refused:
            faults.append(ProtocolError(Reason.REJECTED, message.table.refused))
    except ProtocolError:
        return False
    return not faults and not any(map(compiled.framing.doubtful, found))
