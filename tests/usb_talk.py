"""The least a session does, for tests of one protocol on one link."""

import asyncio
from collections.abc import Callable

from devicehub.model.errors import LinkLostError, ProtocolError
from devicehub.model.reading import Sample
from devicehub.transport.link import Transport
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.patience import PATIENCE


async def talk(
    protocol: DeviceProtocol, transport: Transport, until: Callable[[Step], bool], seconds: float = PATIENCE
) -> tuple[list[Sample], list[ProtocolError]]:
    """Converse until a step satisfies `until`, the link is lost or `seconds` have passed; what came of it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    samples: list[Sample] = []
    faults: list[ProtocolError] = []
    step = protocol.start(loop.time())
    while True:
        samples.extend(step.samples)
        faults.extend(step.faults)
        if until(step) or loop.time() >= end:
            return samples, faults
        try:
            step = await _next_step(protocol, transport, step, end)
        except LinkLostError:
            return samples, faults


async def _next_step(protocol: DeviceProtocol, transport: Transport, step: Step, end: float) -> Step:
    loop = asyncio.get_running_loop()
    for packet in step.write:
        await transport.write(packet)
    try:
        async with asyncio.timeout_at(min(step.wake_at if step.wake_at is not None else end, end)):
            packet = await transport.read()
    except TimeoutError:
        return protocol.on_timer(loop.time())
    return protocol.on_packet(loop.time(), packet)
