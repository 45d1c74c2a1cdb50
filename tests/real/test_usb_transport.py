"""The USB edge against a simulated bus, through unmodified pyusb."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from devicehub.clock import Clock
from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import LinkLostError
from devicehub.transport.usb import READ_LIMIT, UsbTransport
from devicehub.transport.usb_bus import UsbBus
from devicehub.wire.packet import (
    Packet,
    clear_halt,
    control_read,
    control_write,
    usb_read,
    usb_write,
)
from tests.patience import PATIENCE
from tests.real.usb_devices import Echo

pytestmark = pytest.mark.real
LINK = UsbLink(ids=(UsbId(0x1209, 0x0001),), timeout=0.1)


@pytest.fixture
def bus() -> UsbBus:
    return UsbBus()


@pytest.fixture
def device(bus: UsbBus) -> Echo:
    device = Echo()
    bus.plug(device, port="2.3")
    return device


@pytest.fixture
async def transport(bus: UsbBus, device: Echo) -> AsyncIterator[UsbTransport]:
    transport = await UsbTransport.open(LINK, backend=bus.backend, clock=Clock())
    yield transport
    await transport.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "usb"]
    if device in [plugged.simulator for plugged in bus._devices]:
        assert bus.claimed(device) == set()


async def ask(transport: UsbTransport, *packets: Packet) -> None:
    for packet in packets:
        await transport.write(packet)


async def answer(transport: UsbTransport) -> Packet:
    async with asyncio.timeout(PATIENCE):
        return await transport.read()


async def test_an_open_link_knows_id_serial_and_place(transport: UsbTransport) -> None:
    assert transport.identity.usb == "1209:0001"
    assert transport.identity.serial == "E-1"
    assert transport.identity.path == "1-2.3"


async def test_a_control_read_carries_its_own_port(transport: UsbTransport) -> None:
    await ask(transport, control_write(0x41, 2, 0, 0, b"abc"), control_read(0xC1, 1, 0, 0, 16))
    assert await answer(transport) == Packet(b"abc", "ctl:c1:01:0000:0000:16")


async def test_a_stalled_control_transfer_is_reported_and_the_link_lives_on(transport: UsbTransport) -> None:
    await ask(transport, control_read(0xC1, 3, 0, 0, 16), control_write(0x41, 3, 0, 0), control_read(0xC1, 1, 0, 0, 2))
    assert await answer(transport) == Packet(b"", "stall:c1:03:0000:0000:16")
    assert await answer(transport) == Packet(b"", "stall:41:03:0000:0000")
    assert await answer(transport) == Packet(b"", "ctl:c1:01:0000:0000:2")


async def test_a_read_waits_through_timeouts_while_writes_go_on(transport: UsbTransport, device: Echo) -> None:
    await ask(transport, usb_read(0x81, 64))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.35):
            await transport.read()
    await ask(transport, usb_write(0x02, b"hello"))
    assert await answer(transport) == Packet(b"hello", "in:81")
    assert device.written == [b"hello"]


async def test_cancelling_a_read_loses_no_packet(transport: UsbTransport, device: Echo) -> None:
    expected = [bytes([number]) for number in range(50)]
    got: list[bytes] = []
    for data in expected:
        await ask(transport, usb_read(0x81, 64), usb_write(0x02, data))
        reader = asyncio.ensure_future(transport.read())
        await asyncio.wait([reader], timeout=0.0005)
        reader.cancel()
        result = (await asyncio.gather(reader, return_exceptions=True))[0]
        if isinstance(result, Packet):
            got.append(result.data)
    while len(got) < len(expected):
        got.append((await answer(transport)).data)
    assert got == expected


async def test_pending_reads_on_two_endpoints_do_not_block_each_other(
    bus: UsbBus, transport: UsbTransport, device: Echo
) -> None:
    await ask(transport, usb_read(0x81, 64), usb_read(0x82, 64))
    device.ready[0x82].append(b"second")
    bus.advance(0.0)
    assert await answer(transport) == Packet(b"second", "in:82")
    device.ready[0x81].append(b"first")
    bus.advance(0.0)
    assert await answer(transport) == Packet(b"first", "in:81")


async def test_nothing_is_read_that_nobody_asked_for(bus: UsbBus, transport: UsbTransport, device: Echo) -> None:
    device.ready[0x81].extend([b"one", b"two"])
    await ask(transport, usb_read(0x81, 64), control_read(0xC1, 1, 0, 0, 1))
    assert {(await answer(transport)).port, (await answer(transport)).port} == {"in:81", "ctl:c1:01:0000:0000:1"}
    await ask(transport, control_read(0xC1, 1, 0, 0, 1))
    await answer(transport)
    assert list(device.ready[0x81]) == [b"two"]


async def test_a_large_transfer_passes_whole(transport: UsbTransport, device: Echo) -> None:
    frame = bytes(range(256)) * 695
    device.ready[0x81].append(frame)
    await ask(transport, usb_read(0x81, len(frame)))
    assert (await answer(transport)).data == frame


async def test_a_stalled_bulk_endpoint_is_cleared_and_read_again(transport: UsbTransport, device: Echo) -> None:
    device.stalls[0x81] = 2
    device.ready[0x81].append(b"after")
    await ask(transport, usb_read(0x81, 64))
    assert (await answer(transport)).data == b"after"


async def test_an_endpoint_that_stalls_for_ever_ends_the_link(transport: UsbTransport, device: Echo) -> None:
    device.stalls[0x81] = 1000
    await ask(transport, usb_read(0x81, 64))
    with pytest.raises(LinkLostError, match="endpoint 81 stalls"):
        await answer(transport)


async def test_a_protocol_may_clear_a_halt_itself(transport: UsbTransport, device: Echo) -> None:
    await ask(transport, clear_halt(0x81), usb_read(0x81, 8), usb_write(0x02, b"x"))
    assert (await answer(transport)).data == b"x"


async def test_unplugging_ends_the_link_for_readers_and_writers(
    bus: UsbBus, transport: UsbTransport, device: Echo
) -> None:
    await ask(transport, usb_read(0x81, 64))
    reader = asyncio.ensure_future(answer(transport))
    await asyncio.wait([reader], timeout=0.05)
    bus.unplug(device)
    with pytest.raises(LinkLostError, match="No such device"):
        await reader
    with pytest.raises(LinkLostError):
        await transport.write(usb_read(0x81, 64))


async def test_unplugging_ends_a_link_on_which_nothing_is_pending(
    bus: UsbBus, transport: UsbTransport, device: Echo
) -> None:
    reader = asyncio.ensure_future(answer(transport))
    await asyncio.wait([reader], timeout=0.05)
    bus.unplug(device)
    with pytest.raises(LinkLostError, match="No such device"):
        await reader


async def test_what_had_arrived_before_the_end_can_still_be_read(
    bus: UsbBus, transport: UsbTransport, device: Echo
) -> None:
    device.ready[0x81].append(b"last words")
    await ask(transport, usb_read(0x81, 64), usb_read(0x81, 64))
    await asyncio.wait_for(transport._readable.wait(), PATIENCE)
    bus.unplug(device)
    assert (await answer(transport)).data == b"last words"
    with pytest.raises(LinkLostError):
        await answer(transport)


async def test_a_protocol_that_asks_without_end_is_stopped(transport: UsbTransport) -> None:
    await ask(transport, *(usb_read(0x81, 64) for _ in range(READ_LIMIT + 1)))
    with pytest.raises(LinkLostError, match="reads are pending"):
        await answer(transport)


async def test_a_full_queue_makes_the_writer_wait_and_keeps_the_order(transport: UsbTransport, device: Echo) -> None:
    sent = [bytes([number % 256, number // 256]) for number in range(1000)]
    await asyncio.wait_for(ask(transport, *(usb_write(0x02, data) for data in sent)), PATIENCE)
    await ask(transport, control_read(0xC1, 1, 0, 0, 1))
    await answer(transport)
    assert device.written == sent


async def test_an_unknown_endpoint_ends_the_link(transport: UsbTransport) -> None:
    await ask(transport, usb_read(0x8F, 64))
    with pytest.raises(LinkLostError, match="0x8f"):
        await answer(transport)


@pytest.mark.parametrize("port", ["", "in:81", "ctl:c1:01", "out:zz", "frame:1:2"])
async def test_a_malformed_request_is_the_callers_error(transport: UsbTransport, port: str) -> None:
    with pytest.raises(ValueError, match=r"not a USB transfer|invalid literal"):
        await transport.write(Packet(b"", port))
