"""One open link kept in step with its protocol: the only loop a device has."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from devicehub.clock import Clock
from devicehub.commands.line import Line
from devicehub.model.errors import LinkError, LinkLostError
from devicehub.model.reading import Fault, Input, Reading, Sample
from devicehub.transport.link import Transport
from devicehub.wire.protocol import Call, Commanded, DeviceProtocol, Parting, Step

IDLE_TURNS = 100
PARTING = 1.0
Check = Callable[[Sample], None]


class Session:
    """Feeds packets, commands and time to a protocol, stamps what it yields, carries out what it wants."""

    def __init__(
        self,
        device: str,
        protocol: DeviceProtocol,
        check: Check,
        offer: Callable[[Input], None],
        clock: Clock,
        line: Line | None = None,
    ) -> None:
        """`check` raises for a sample that the driver never declared: nothing impossible goes further.

        `line`: where its commands come from and their results go, if the protocol takes any.
        """
        self._device = device
        self._check = check
        self._protocol = protocol
        self._offer = offer
        self._clock = clock
        self._line = line or Line()
        self._limit: asyncio.Timeout | None = None
        self._spoken = False
        self._heard = False
        self._idle_turns = 0

    async def run(self, transport: Transport, on_heard: Callable[[], None]) -> None:
        """Converse until the link is lost. `on_heard` is called at the first sample that a packet brought.

        What a protocol says of its own accord, such as that nobody answers, does not make a device ready.

        Raises `LinkLostError`; `RuntimeError` for a protocol that asks for the past again and again.
        """
        if isinstance(self._protocol, Commanded):
            self._line.open(self._on_command)
        try:
            await self._converse(transport, on_heard)
        except asyncio.CancelledError:
            await self._part(transport)
            raise
        finally:
            self._line.close()

    async def _converse(self, transport: Transport, on_heard: Callable[[], None]) -> None:
        step = self._protocol.start(self._clock.monotonic())
        while True:
            for sample in step.samples:
                self._check(sample)
            if step.samples and self._spoken and not self._heard:
                self._heard = True
                on_heard()
            self._hand_over(step)
            for packet in step.write:
                await transport.write(packet)
            self._line.ended(step.ended)
            if step.lost:
                raise LinkLostError(step.lost)
            step = await self._next(transport, step.wake_at)

    async def _part(self, transport: Transport) -> None:
        """Say what the protocol wants to be said at the end, as far as the link takes it at once."""
        if not isinstance(self._protocol, Parting):
            return
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(PARTING):
                for packet in self._protocol.stop(self._clock.monotonic()).write:
                    await transport.write(packet)

    def _on_command(self) -> None:
        """Somebody gave a command: stop waiting for the device, or see it once the device was heard."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._clock.monotonic())

    async def _next(self, transport: Transport, wake_at: float | None) -> Step:
        self._spoken = False
        if (call := self._line.take()) is not None:
            return self._commanded(call)
        if wake_at is not None and wake_at <= self._clock.monotonic():
            return await self._at_once()
        try:
            async with asyncio.timeout_at(wake_at) as self._limit:
                packet = await transport.read()
        except TimeoutError:
            self._idle_turns = 0
            if (call := self._line.take()) is not None:
                return self._commanded(call)
            return self._protocol.on_timer(self._clock.monotonic())
        finally:
            self._limit = None
        self._idle_turns = 0
        self._spoken = True
        return self._protocol.on_packet(self._clock.monotonic(), packet)

    def _commanded(self, call: Call) -> Step:
        assert isinstance(self._protocol, Commanded)  # its line is open
        at = self._clock.stamp()
        return self._protocol.on_command(at.mono, replace(call, epoch=at.utc - at.mono))

    async def _at_once(self) -> Step:
        """A timer that is due already. Others get their turn first, and a protocol that stands still is a bug."""
        self._idle_turns += 1
        if self._idle_turns > IDLE_TURNS:
            raise RuntimeError(f"asked {IDLE_TURNS} times running to be woken in the past")
        await self._clock.sleep(0)
        return self._protocol.on_timer(self._clock.monotonic())

    def _hand_over(self, step: Step) -> None:
        if not (step.samples or step.faults):
            return
        at = self._clock.stamp()
        for sample in step.samples:
            self._offer(Reading(self._device, at, sample))
        for fault in step.faults:
            self._offer(Fault(self._device, at, fault.reason, fault.detail))
