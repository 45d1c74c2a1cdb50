"""What can go wrong at the BLE edge, and what the operator is told. See `test_ble_transport`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.driver import BleLink
from devicehub.model.errors import LinkError, LinkLostError, LinkMissingError
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.ble_world import (
    ADDRESS,
    ANSWER,
    ECHO,
    LIMITS,
    REQUEST,
    Echo,
    needs_dbus_daemon,
    simulated_bluetooth,
    until,
)
from tests.real.bluez_peripheral import DEVICE_INTERFACE
from tests.real.dbus_daemon import private_bus
from tests.real.fake_bluez import ADAPTER_INTERFACE, FAILED, FakeBluez

pytestmark = [pytest.mark.real, needs_dbus_daemon]
CONNECT = f"{DEVICE_INTERFACE}.Connect"


@pytest.fixture
async def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    async with simulated_bluetooth(tmp_path, monkeypatch) as daemon:
        yield daemon


@pytest.fixture
async def radio() -> AsyncIterator[BleRadio]:
    made = BleRadio(limits=LIMITS)
    yield made
    made.close()


async def _lost(transport: BleTransport, why: str) -> None:
    """The link ends for that reason, without any help, and can be closed."""
    with pytest.raises(LinkLostError, match=why):
        await asyncio.wait_for(_drained(transport), PATIENCE)
    await transport.close()


async def _drained(transport: BleTransport) -> None:
    while True:
        await transport.read()


async def test_a_peripheral_that_is_not_heard_is_missing_within_the_deadline(bluez: FakeBluez, radio: BleRadio) -> None:
    started = Clock().monotonic()
    with pytest.raises(LinkMissingError, match=r"named 'Echo\.\.\.' not heard within 0\.4 s: switch it on"):
        await BleTransport.open(ECHO, radio=radio)
    assert LIMITS.scan <= Clock().monotonic() - started < LIMITS.scan + 2
    assert not bluez.discovering


async def test_an_adapter_that_is_off_says_how_to_turn_it_on(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    bluez.power(on=False)
    with pytest.raises(LinkMissingError, match="bluetoothctl power on"):
        await BleTransport.open(ECHO, radio=radio)
    with pytest.raises(LinkMissingError, match="bluetoothctl power on"):
        await radio.discover(0.1)
    bluez.power(on=True)
    await until(lambda: bluez.adapter is not None)
    transport = await _opened(radio)
    await transport.close()


async def _opened(radio: BleRadio, link: BleLink = ECHO) -> BleTransport:
    """Open, trying again as a session would."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await BleTransport.open(link, radio=radio)
            except LinkError:
                await Clock().sleep(0.01)


async def test_a_machine_without_an_adapter_says_so(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.remove_adapter()
    with pytest.raises(LinkMissingError, match="no Bluetooth adapter: plug one in"):
        await BleTransport.open(ECHO, radio=radio)


async def test_a_daemon_that_does_not_run_says_how_to_start_it(bluez: FakeBluez, radio: BleRadio) -> None:
    await bluez.crash()
    with pytest.raises(LinkMissingError, match="systemctl start bluetooth"):
        await BleTransport.open(ECHO, radio=radio)


async def test_a_machine_without_a_system_bus_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, radio: BleRadio
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    with pytest.raises(LinkMissingError, match="system D-Bus cannot be reached"):
        await BleTransport.open(ECHO, radio=radio)


@pytest.mark.parametrize("how", ["announced", "silent"])
async def test_an_adapter_yanked_while_connected_ends_the_link(bluez: FakeBluez, radio: BleRadio, how: str) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.remove_adapter(silently=how == "silent")
    await _lost(transport, "disconnected")
    bluez.add_adapter()
    await (await _opened(radio)).close()


async def test_an_adapter_switched_off_while_connected_ends_the_link(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.power(on=False)
    await _lost(transport, "disconnected")


async def test_a_daemon_that_dies_ends_the_link_and_its_successor_is_used(
    tmp_path: Path, bluez: FakeBluez, radio: BleRadio
) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    await bluez.crash()
    await _lost(transport, "the Bluetooth daemon stopped")
    successor = await FakeBluez.start(f"unix:path={tmp_path}/bus")
    successor.add(ADDRESS, Echo())
    again = await _opened(radio)
    successor.advance(1)
    assert await again.read() == Packet(b"\x01", ANSWER)
    await again.close()
    await successor.crash()


async def test_a_system_bus_that_dies_ends_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, radio: BleRadio
) -> None:
    async with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        bluez = await FakeBluez.start(address)
        bluez.add(ADDRESS, Echo())
        transport = await BleTransport.open(ECHO, radio=radio)
    with contextlib.suppress(EOFError):
        await bluez.crash()
    await _lost(transport, "disconnected|daemon stopped")
    with pytest.raises(LinkMissingError, match="system D-Bus cannot be reached"):
        await BleTransport.open(ECHO, radio=radio)


async def test_a_refused_connection_is_missing_and_can_be_tried_again(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    bluez.refuse_connect = (FAILED, "br-connection-canceled")
    with pytest.raises(LinkMissingError, match=r"connect to Echo-1: .*br-connection-canceled"):
        await BleTransport.open(ECHO, radio=radio)
    bluez.refuse_connect = None
    await (await BleTransport.open(ECHO, radio=radio)).close()


async def test_a_connection_that_never_comes_is_given_up_by_our_own_deadline(bluez: FakeBluez, radio: BleRadio) -> None:
    """bleak itself retries a local abort until its own, longer time is over."""
    bluez.add(ADDRESS, Echo())
    bluez.refuse_connect = (FAILED, "le-connection-abort-by-local")
    with pytest.raises(LinkMissingError, match=r"connect to Echo-1: no answer within 0\.6 s"):
        await BleTransport.open(ECHO, radio=radio)
    bluez.refuse_connect = None
    await (await BleTransport.open(ECHO, radio=radio)).close()


async def test_a_peripheral_without_the_drivers_characteristic_is_let_go(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    other = "0000aaaa-0000-1000-8000-00805f9b34fb"
    with pytest.raises(LinkMissingError, match=f"{other} was not found"):
        await BleTransport.open(replace(ECHO, notify=(ANSWER, other)), radio=radio)
    assert not bluez.connected


async def test_a_refused_write_ends_the_link(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.refuse_write = ("org.bluez.Error.NotPermitted", "Write not permitted")
    with pytest.raises(LinkLostError, match=f"write to {REQUEST}.*Write Not Permitted"):
        await transport.write(Packet(b"x", REQUEST))
    await _lost(transport, "Write Not Permitted")


async def test_a_reader_that_is_too_slow_loses_the_link_and_no_notification_before(
    bluez: FakeBluez, radio: BleRadio
) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.advance(20)
    await transport.write(Packet(b"fence", REQUEST))
    arrived = [(await transport.read()).data[0] for _ in range(LIMITS.notifications)]
    assert arrived == list(range(1, LIMITS.notifications + 1))
    await _lost(transport, "reader too slow")


async def test_a_daemon_that_hangs_holds_nobody_up(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.freeze()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(LinkLostError, match="no answer within"):
            await transport.write(Packet(b"x", REQUEST))
        await transport.close()
        with pytest.raises(LinkMissingError, match="no answer within"):
            await BleTransport.open(ECHO, radio=radio)


async def test_giving_up_during_the_scan_stops_the_scan(bluez: FakeBluez, radio: BleRadio) -> None:
    opening = asyncio.create_task(BleTransport.open(ECHO, radio=radio))
    await until(lambda: bluez.discovering)
    opening.cancel()
    await asyncio.wait({opening})
    assert opening.cancelled()
    await until(lambda: not bluez.discovering)
    bluez.add(ADDRESS, Echo())
    await (await BleTransport.open(ECHO, radio=radio)).close()


async def test_giving_up_while_the_scan_starts_leaves_no_half_started_scan(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    for turns in range(40):
        opening = asyncio.create_task(BleTransport.open(ECHO, radio=radio))
        for _ in range(turns):
            await Clock().sleep(0)
        opening.cancel()
        await asyncio.wait({opening})
        if not opening.cancelled():
            await opening.result().close()
    await (await BleTransport.open(ECHO, radio=radio)).close()
    assert bluez.calls.count(f"{ADAPTER_INTERFACE}.StartDiscovery") == bluez.calls.count(
        f"{ADAPTER_INTERFACE}.StopDiscovery"
    )


async def test_giving_up_while_connecting_lets_the_peripheral_go(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    bluez.hold_connect = True
    opening = asyncio.create_task(BleTransport.open(ECHO, radio=radio))
    await until(lambda: CONNECT in bluez.calls)
    opening.cancel()
    await asyncio.wait({opening})
    assert opening.cancelled()
    assert not bluez.connected
    bluez.hold_connect = False
    await (await BleTransport.open(ECHO, radio=radio)).close()
