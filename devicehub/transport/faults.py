"""Faults injected into a link, for training and tests: what real cables and devices do, on purpose.

A specification is a comma-separated list such as `flip=0.01,drop=0.001,lose=120`:

    drop=P     a packet is lost with probability P
    flip=P     one bit of a packet is flipped with probability P
    garbage=P  up to 32 random bytes come before a packet with probability P
    cut=P      a packet is cut short with probability P
    twice=P    a packet comes twice with probability P
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
    twice: float = 0.0
    late: float = 0.0
    hang: float = 0.0
    lose: float = 0.0


_TIMES = {"late", "hang", "lose"}


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
        most = float("inf") if name in _TIMES else 1.0
        if not 0 <= values[name] <= most:
            raise ConfigError(f"fault '{part}': must be from 0 to {most:g}")
    return FaultPlan(**values)


class FaultTransport:
    """A link with faults on what comes from the device; what goes to it is left alone."""

    def __init__(self, inner: Transport, plan: FaultPlan, clock: Clock) -> None:
        self.identity = inner.identity
        self._inner = inner
        self._plan = plan
        self._clock = clock
        self._opened = clock.monotonic()
        self._queue: list[Packet] = []
        self._late: tuple[Packet, float] | None = None

    async def read(self) -> Packet:
        """The next packet, perhaps damaged. Raises `LinkLostError`."""
        while not self._queue:
            if self._late is None:
                packet = await self._received()
                self._late = packet, self._clock.monotonic() + self._clock.jitter(self._plan.late)
            packet, due = self._late
            if (wait := due - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            self._late = None
            self._queue = self._damaged(packet)
        return self._queue.pop(0)

    async def write(self, packet: Packet) -> None:
        """Send a packet. Raises `LinkLostError`."""
        await self._inner.write(packet)

    async def close(self) -> None:
        """Close the real link."""
        await self._inner.close()

    async def _received(self) -> Packet:
        plan = self._plan
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

    def _lost(self) -> LinkLostError:
        return LinkLostError(f"injected fault: lost after {self._plan.lose:g} s")

    def _age(self) -> float:
        return self._clock.monotonic() - self._opened

    def _damaged(self, packet: Packet) -> list[Packet]:
        plan, chance = self._plan, self._clock.random
        if chance.random() < plan.drop:
            return []
        out = [packet]
        if packet.data and chance.random() < plan.flip:
            data = bytearray(packet.data)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            out = [Packet(bytes(data), packet.port)]
        if packet.data and chance.random() < plan.cut:
            out = [Packet(out[0].data[: chance.randrange(len(packet.data))], packet.port)]
        if chance.random() < plan.twice:
            out *= 2
        if chance.random() < plan.garbage:
            out.insert(0, Packet(chance.randbytes(chance.randint(1, 32)), packet.port))
        return out
