"""Bytes that no device should send, made cheaply: what every driver must answer with samples or typed faults.

A run follows what the driver's transcripts recorded, or what came next in a conversation (`underway.py`), and damages it
on the way: by itself it hardly gets past the start, for that it has to begin in the middle. Everything comes from the
seed: a failure names seed and number, and is the same on every machine.
"""

import gc
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from math import isfinite
from random import Random
from time import perf_counter  # noqa: TID251 - what real code takes is measured, in no clock of the hub's
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Literal

import numpy as np

from devicehub.devicefile.load import load
from devicehub.devicefile.sealing import sealer
from devicehub.driver import Driver
from devicehub.model.reading import Sample, Stored
from devicehub.registry import device_files
from devicehub.wire.checksum import crc16_ccitt_false, negated_sum16
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.conformance import check_step

MULTIPLE = max(int(os.environ.get("DEVICEHUB_TORTURE", "1")), 1)
HANG = 0.1
MOST = 4096
SMALL = 1024
LARGE_SHARE = 0.02
CALM = 0.6
LIFE = 250
SEALED_LEAST = 20
TIMERS = 3
STANDSTILL = 1000
RECENT = 0.005
TIMES = (0.01, 0.01, 0.01, 0.3, 2.0)

Seal = Callable[[bytes], bytes]
_CODE = (ModuleType, type, FunctionType, BuiltinFunctionType)


@dataclass(slots=True)
class Trial:
    """A protocol under fire: every call is timed, every step looked at.

    `reached`: channels that samples came of, and kinds of samples that have none. `slowest`: what a call took, other processes aside. Processor time is dear to ask for, so it is asked before a
    call if it was not within the last `RECENT` seconds, and where a call took long by the clock on the wall.
    """

    driver: Driver
    protocol: DeviceProtocol
    now: float = 0.0
    slowest: float = 0.0
    executions: int = 0
    step: Step = field(default_factory=Step)
    worked: float = 0.0
    asked_at: float = 0.0
    reached: set[str] = field(default_factory=set[str])

    def start(self) -> None:
        """Open it."""
        self._judge(self._began(), self.protocol.start(self.now), b"")

    def _began(self) -> float:
        now = perf_counter()
        if now - self.asked_at > RECENT:
            self.worked, self.asked_at = time.thread_time(), now
        return perf_counter()

    def pass_time(self, until: float) -> None:
        """Nothing comes; timers fire at their time, also one that is due at the end."""
        turns = 0
        while self.step.wake_at is not None and self.step.wake_at <= until:
            turns = turns + 1 if self.step.wake_at <= self.now else 0
            assert turns < STANDSTILL, f"{self.driver.name} stands still at {self.now} s"
            self.now = max(self.step.wake_at, self.now)
            self._timer()
        self.now = until

    def silence(self) -> None:
        """Nothing comes any more: the next timers fire at their time."""
        for _ in range(TIMERS):
            if self.step.wake_at is None:
                return
            self.now = max(self.step.wake_at, self.now)
            self._timer()

    def _timer(self) -> None:
        self._judge(self._began(), self.protocol.on_timer(self.now), b"")

    def packet(self, packet: Packet, after: float) -> None:
        """One packet, `after` seconds later, behind the timers that are due until then."""
        self.pass_time(self.now + after)
        self._judge(self._began(), self.protocol.on_packet(self.now, packet), packet.data)
        self.executions += 1

    def _judge(self, began: float, step: Step, data: bytes) -> None:
        took = perf_counter() - began
        if took > self.slowest:
            self.slowest = took if took < HANG else max(self.slowest, min(took, time.thread_time() - self.worked))
        self.step = step
        self.look(step, data)

    def look(self, step: Step, data: bytes) -> None:
        """A step that came of `data` holds what the driver declared, at a sane time, and not without end."""
        check_step(self.driver, step)
        self.reached.update(map(_reached, step.samples))
        assert step.wake_at is None or isfinite(step.wake_at)
        assert len(step.samples) + len(step.faults) + len(step.write) <= MOST + len(data)


def _reached(sample: Sample) -> str:
    """The channel of a sample, or its kind where it has none."""
    inner = sample.sample if isinstance(sample, Stored) else sample
    return str(getattr(inner, "channel", type(inner).__name__))


def _last(size: int, check: Callable[[bytes], int], order: Literal["big", "little"]) -> Seal:
    return lambda frame: frame[:-size] + check(frame[:-size]).to_bytes(size, order)


def _aci(frame: bytes) -> bytes:
    body = b"00000000\x02" + frame[10:-10] + b"\x03"
    return b"\x01" + body + b"%08X\x04" % zlib.crc32(body)


def _ims(frame: bytes) -> bytes:
    head = b"\xa5\x5a\x01" + frame[3:8] + max(len(frame) - 14, 0).to_bytes(2, "little")
    body = head + crc16_ccitt_false(head).to_bytes(2, "little") + frame[12:-2]
    return body + crc16_ccitt_false(body).to_bytes(2, "little")


def _gy(frame: bytes) -> bytes:
    words = np.frombuffer(frame[: (len(frame) - 2) // 2 * 2], "<u2")
    return words.tobytes() + (int(words.sum()) & 0xFFFF).to_bytes(2, "little")


SEALS: Mapping[str, Seal] = MappingProxyType(
    {
        "scanner.zebra_ssi": _last(2, negated_sum16, "big"),
        "trace.aci_pids3": _aci,
        "trace.ims_reference": _ims,
        "thermal.gy_mcu90640": _gy,
    }
)
"""A damaged frame with its checks made right again, so that damage reaches what lies behind them."""


@cache
def seal_of(name: str) -> Seal | None:
    """What seals a frame of that driver's device: by hand, or by its device file where that has a length or checks."""
    if name in SEALS:
        by_hand = SEALS[name]
        return lambda frame: frame if len(frame) < SEALED_LEAST else by_hand(frame)
    if name not in device_files():
        return None
    by_file = sealer(load(device_files()[name]))
    return None if by_file is None else lambda frame: by_file(frame) or frame


class Hostile:
    """Packets for one driver: what was `recorded`, as it is and damaged in seven ways, sealed or not, and noise."""

    def __init__(self, name: str, seed: int, recorded: Sequence[Packet]) -> None:
        self.random = Random(f"{name}/{seed}")
        self._small = [packet for packet in recorded if len(packet.data) <= SMALL] or [Packet(b"")]
        self._large = [packet for packet in recorded if len(packet.data) > SMALL]
        self._ports = sorted({packet.port for packet in recorded}) or [""]
        self._next = cycle(self._small)
        self._noise = self.random.randbytes(1 << 16)
        self._seal = seal_of(name)
        self._ways = (self._noisy, self._changed, self._changed, self._cut, self._swapped, self._spliced, self._filled)

    def __iter__(self) -> Iterator[Packet]:
        random = self.random
        while True:
            chance = random.random()
            if self._large and chance < LARGE_SHARE:
                yield self._whole(random.choice(self._large))
            elif chance < 0.4:
                yield next(self._next)
            else:
                yield self._sealed(random.choice(self._ways)(random.choice(self._small)))

    def apart(self) -> Iterator[tuple[Packet, float]]:
        """Each with the seconds that pass before it."""
        for packet in self:
            yield packet, self.random.choice(TIMES)

    def onward(self, following: Sequence[tuple[Packet, float]]) -> Iterator[tuple[Packet, float]]:
        """What a conversation goes on with, of any size, in its order and at its times, now and then damaged."""
        for packet, after in following:
            yield packet if self.random.random() < CALM else self._whole(packet), after

    def _whole(self, packet: Packet) -> Packet:
        return self._sealed(self.random.choice((packet, self._changed(packet), self._cut(packet))))

    def _sealed(self, packet: Packet) -> Packet:
        if self._seal is None or self._byte() & 1:
            return packet
        return Packet(self._seal(packet.data), packet.port)

    def _noisy(self, _: Packet) -> Packet:
        at, size = self.random.randrange(1 << 15), self.random.choice((1, 2, 7, 20, 64, 300))
        return Packet(self._noise[at : at + size], self.random.choice(self._ports))

    def _changed(self, packet: Packet) -> Packet:
        if not packet.data:
            return packet
        data = bytearray(packet.data)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            data[self.random.randrange(len(data))] = self.random.choice((0, 1, 0x7F, 0x80, 0xFF, self._byte()))
        return Packet(bytes(data), packet.port)

    def _byte(self) -> int:
        return self.random.getrandbits(8)

    def _cut(self, packet: Packet) -> Packet:
        at = self.random.randint(0, len(packet.data))
        return Packet(packet.data[:at] if self._byte() & 1 else packet.data[at:], packet.port)

    def _swapped(self, packet: Packet) -> Packet:
        at = self.random.randint(0, len(packet.data))
        pair = packet.data[at : at + 2]
        return Packet(packet.data[:at] + pair[::-1] + packet.data[at + 2 :], self.random.choice(self._ports))

    def _spliced(self, packet: Packet) -> Packet:
        other = self.random.choice(self._small).data
        return Packet(self._cut(packet).data + other[self.random.randint(0, len(other)) :], packet.port)

    def _filled(self, packet: Packet) -> Packet:
        at, size = self.random.randint(0, len(packet.data)), self.random.choice((1, 4, 8))
        fill = self.random.choice((b"\x00", b"\xff", b"\x7f")) * size
        return Packet(packet.data[:at] + fill + packet.data[at + size :], packet.port)


def retained(thing: object) -> int:
    """Bytes that an object holds on to, code and what it shares with the module left aside."""
    seen: set[int] = set()
    waiting, total = [thing], 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, MethodType):
            one = one.__self__
        if id(one) in seen or isinstance(one, _CODE):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting.extend(gc.get_referents(one))
        if isinstance(one, np.ndarray):
            waiting.append(one.base)
    return total
