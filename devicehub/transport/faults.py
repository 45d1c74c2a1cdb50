"""Faults injected into a link, for training and tests: what real cables and devices do, on purpose.

A specification is a comma-separated list such as `flip=0.01,drop=0.001,lose=120`:

    drop=P     a packet is lost with probability P
    flip=P     one bit of a packet is flipped with probability P
    garbage=P  up to 32 random bytes come before a packet with probability P
    cut=P      a packet is cut short with probability P
    swap=P     two bytes side by side change places with probability P
    twice=P    a packet comes twice with probability P
    split=P    a packet comes in two with probability P
    merge=P    a packet waits for the next and comes in one with it, with probability P
    order=P    a packet comes behind the next one with probability P
    baud=N     bytes come no faster than a line of N baud has them, ten bits each
    unheard=P  a packet to the device is lost with probability P
    late=S     every packet comes up to S seconds late
    hang=S     after S seconds nothing comes any more
    lose=S     after S seconds the link is lost
"""

import asyncio
from dataclasses import dataclass, fields

from devicehub.clock import Clock
from devicehub.model.errors import ConfigError, LinkLostError
from devicehub.transport.link import Transport
from devicehub.wire.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Probabilities and times of the faults; 0 is never."""

    drop: float = 0.0
    flip: float = 0.0
    garbage: float = 0.0
    cut: float = 0.0
    swap: float = 0.0
    twice: float = 0.0
    split: float = 0.0
    merge: float = 0.0
    order: float = 0.0
    unheard: float = 0.0
    baud: float = 0.0
    late: float = 0.0
    hang: float = 0.0
    lose: float = 0.0


_NO_SHARE = {"baud", "late", "hang", "lose"}
_BITS = 10


def parse_faults(text: str) -> FaultPlan:
    """Read a specification. Raises `ConfigError` naming the part that is wrong."""
    known = {field.name for field in fields(FaultPlan)}
    values: dict[str, float] = {}
    for part in filter(None, (word.strip() for word in text.split(","))):
        name, _, number = part.partition("=")
        if name not in known:
            raise ConfigError(f"unknown fault '{name}'; known: {', '.join(sorted(known))}")
        try:
            values[name] = float(number)
        except ValueError:
            raise ConfigError(f"fault '{part}': expected {name}=NUMBER") from None
        most = float("inf") if name in _NO_SHARE else 1.0
        if not 0 <= values[name] <= most:
            raise ConfigError(f"fault '{part}': must be from 0 to {most:g}")
    return FaultPlan(**values)


class FaultTransport:
    """A link with faults on what comes from the device; what goes to it is lost or left alone."""

    def __init__(self, inner: Transport, plan: FaultPlan, clock: Clock) -> None:
        self.identity = inner.identity
        self._inner = inner
        self.plan = plan
        self._clock = clock
        self._opened = clock.monotonic()
        self._queue: list[Packet] = []
        self._late: tuple[Packet, float] | None = None
        self._before: Packet | None = None
        self._behind: list[Packet] = []
        self._asked: dict[str, Packet] = {}
        self._line_free = 0.0

    async def read(self) -> Packet:
        """The next packet, perhaps damaged. Raises `LinkLostError`."""
        while not self._queue:
            if self._late is None:
                packet = await self._received()
                self._late = packet, self._due(packet)
            packet, due = self._late
            if (wait := due - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            self._late = None
            self._queue = self._ordered(self._damaged(packet))
            if not self._queue and (transfer := self._asked.get(packet.port)) is not None:
                await self._inner.write(transfer)  # USB: who hears nothing asks for nothing, and would wait for ever
        return self._queue.pop(0)

    async def write(self, packet: Packet) -> None:
        """Send a packet, unless it is lost on the way; a read that is asked for is none. Raises `LinkLostError`."""
        if self.plan.unheard and packet.data and self._clock.random.random() < self.plan.unheard:
            return
        await self._inner.write(packet)
        if packet.port.startswith("in:"):
            self._asked[packet.port.rpartition(":")[0]] = packet

    async def close(self) -> None:
        """Close the real link."""
        await self._inner.close()

    async def _received(self) -> Packet:
        plan = self.plan
        if plan.lose and self._age() >= plan.lose:
            raise self._lost()
        try:
            async with asyncio.timeout_at(self._opened + plan.lose if plan.lose else None):
                packet = await self._inner.read()
                while plan.hang and self._age() >= plan.hang:
                    packet = await self._inner.read()
        except TimeoutError:
            raise self._lost() from None
        return packet

    def _due(self, packet: Packet) -> float:
        """When the last byte of a packet is there."""
        now = self._clock.monotonic()
        if self.plan.baud:
            self._line_free = max(self._line_free, now) + len(packet.data) * _BITS / self.plan.baud
        return max(now, self._line_free) + self._clock.jitter(self.plan.late)

    def _lost(self) -> LinkLostError:
        return LinkLostError(f"injected fault: lost after {self.plan.lose:g} s")

    def _age(self) -> float:
        return self._clock.monotonic() - self._opened

    def _damaged(self, packet: Packet) -> list[Packet]:
        plan, chance = self.plan, self._clock.random
        if chance.random() < plan.drop:
            return []
        out = [self._altered(packet)]
        if packet.data and chance.random() < plan.cut:
            out = [Packet(out[0].data[: chance.randrange(len(packet.data))], packet.port)]
        if chance.random() < plan.twice:
            out *= 2
        if chance.random() < plan.garbage:
            out.insert(0, Packet(chance.randbytes(chance.randint(1, 32)), packet.port))
        return out

    def _altered(self, packet: Packet) -> Packet:
        """With a bit flipped, with two bytes exchanged, or as it is."""
        chance, data = self._clock.random, bytearray(packet.data)
        if data and chance.random() < self.plan.flip:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if len(data) > 1 and chance.random() < self.plan.swap:
            at = chance.randrange(len(data) - 1)
            data[at], data[at + 1] = data[at + 1], data[at]
        return packet if data == packet.data else Packet(bytes(data), packet.port)

    def _ordered(self, packets: list[Packet]) -> list[Packet]:
        """Packets in two, in one with the next, or behind the next."""
        out: list[Packet] = []
        for packet in packets:
            out += self._joined(packet)
        return out

    def _joined(self, packet: Packet) -> list[Packet]:
        plan, chance = self.plan, self._clock.random
        if self._before is not None and self._before.port == packet.port:
            packet, self._before = Packet(self._before.data + packet.data, packet.port), None
        elif chance.random() < plan.merge:
            self._before = packet
            return []
        if not self._behind and chance.random() < plan.order:
            self._behind = [packet]
            return []
        late, self._behind = self._behind, []
        if len(packet.data) > 1 and chance.random() < plan.split:
            at = chance.randrange(1, len(packet.data))
            return [Packet(packet.data[:at], packet.port), Packet(packet.data[at:], packet.port), *late]
        return [packet, *late]
