"""The BLE edge against a simulated Bluetooth daemon on a private D-Bus; bleak is unmodified."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.driver import BleLink
from devicehub.model.errors import ConfigError, LinkBusyError, LinkLostError
from devicehub.model.reading import Measurement, Spectrum
from devicehub.registry import load_driver, load_simulator
from devicehub.simulator import BleSimulator
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from devicehub.wire.packet import Packet
from simulators.radiation.radiacode import RadiaCodeSim
from tests.patience import PATIENCE
from tests.real.ble_world import (
    ADDRESS,
    ANSWER,
    ECHO,
    LIMITS,
    OTHER,
    REQUEST,
    SERVICE,
    Echo,
    needs_dbus_daemon,
    simulated_bluetooth,
    until,
)
from tests.real.bluez_peripheral import CHARACTERISTIC_INTERFACE, DEVICE_INTERFACE
from tests.real.fake_bluez import ADAPTER_INTERFACE, FakeBluez

pytestmark = [pytest.mark.real, needs_dbus_daemon]


@pytest.fixture
async def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    async with simulated_bluetooth(tmp_path, monkeypatch) as daemon:
        yield daemon


@pytest.fixture
async def radio() -> AsyncIterator[BleRadio]:
    made = BleRadio(limits=LIMITS)
    yield made
    made.close()


async def _soon(transport: BleTransport) -> Packet:
    async with asyncio.timeout(PATIENCE):
        return await transport.read()


async def _next(transport: BleTransport) -> Packet | None:
    """What the device says, or None once it is quiet."""
    try:
        async with asyncio.timeout(2):
            return await transport.read()
    except TimeoutError:
        return None


def atom_fast(seed: int) -> BleSimulator:
    """The peripheral that a device file describes."""
    return cast(BleSimulator, load_simulator("radiation.atom_fast")(Random(seed)))


async def test_a_scan_lists_every_peripheral_in_range(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    bluez.add(OTHER, atom_fast(1))
    found = await radio.discover(0.1)
    assert [(one.address, one.name, one.rssi) for one in found] == [
        (ADDRESS, "Echo-1", -60),
        (OTHER, "AtomFast-000123", -60),
    ]
    assert found[0].services == (SERVICE,)
    assert not bluez.discovering


@pytest.mark.parametrize(
    ("link", "address", "name"),
    [
        (ECHO, None, None),
        (BleLink(notify=(ANSWER,), service=SERVICE.upper()), None, None),
        (BleLink(notify=(ANSWER,)), ADDRESS.lower(), None),
        (BleLink(notify=(ANSWER,), name="another model"), None, "Echo-1"),
    ],
    ids=["name prefix", "service", "address", "configured name"],
)
async def test_a_peripheral_is_found_by(
    bluez: FakeBluez, radio: BleRadio, link: BleLink, address: str | None, name: str | None
) -> None:
    bluez.add(OTHER, atom_fast(1))
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(link, radio=radio, address=address, name=name)
    assert transport.identity.address == ADDRESS
    assert transport.identity.path == "Echo-1"
    await transport.close()


async def test_a_link_that_says_nothing_to_find_a_peripheral_by_is_a_configuration_error(radio: BleRadio) -> None:
    with pytest.raises(ConfigError, match="address or a name"):
        await BleTransport.open(BleLink(notify=()), radio=radio)


async def test_notifications_arrive_in_order_under_the_lower_case_uuid(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(BleLink(notify=(ANSWER.upper(),), name="Echo"), radio=radio)
    bluez.advance(3)
    assert [await _soon(transport) for _ in range(3)] == [Packet(bytes([n]), ANSWER) for n in (1, 2, 3)]
    await transport.close()


async def test_notifications_through_a_socket_where_start_notify_is_refused_by_the_driver(
    bluez: FakeBluez, radio: BleRadio
) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(replace(ECHO, start_notify=False), radio=radio)
    bluez.advance(1)
    assert await _soon(transport) == Packet(b"\x01", ANSWER)
    assert f"{CHARACTERISTIC_INTERFACE}.AcquireNotify" in bluez.calls
    assert f"{CHARACTERISTIC_INTERFACE}.StartNotify" not in bluez.calls
    await transport.close()


@pytest.mark.parametrize("kind", ["request", "command"])
async def test_a_write_asks_for_a_response_as_the_link_says(bluez: FakeBluez, radio: BleRadio, kind: str) -> None:
    peripheral = bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(replace(ECHO, acknowledged=kind == "request"), radio=radio)
    await transport.write(Packet(b"hello", REQUEST))
    assert await _soon(transport) == Packet(b"hello", ANSWER)
    assert peripheral.written == [(REQUEST, b"hello", kind)]
    await transport.close()


async def test_a_cancelled_read_loses_nothing(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    reading = asyncio.create_task(transport.read())
    await transport.write(Packet(b"a", REQUEST))
    reading.cancel()
    await transport.write(Packet(b"b", REQUEST))
    await asyncio.wait({reading})
    kept = [] if reading.cancelled() else [reading.result()]
    kept += [await _soon(transport) for _ in range(2 - len(kept))]
    assert [packet.data for packet in kept] == [b"a", b"b"]
    await transport.close()


async def test_a_peripheral_that_drops_mid_stream_ends_the_link_after_its_last_notification(
    bluez: FakeBluez, radio: BleRadio
) -> None:
    peripheral = bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.advance(2)
    bluez.unplug(peripheral)
    assert [(await _soon(transport)).data for _ in range(2)] == [b"\x01", b"\x02"]
    for _ in range(2):
        with pytest.raises(LinkLostError, match="Echo-1 disconnected"):
            await _soon(transport)
    with pytest.raises(LinkLostError, match="disconnected"):
        await transport.write(Packet(b"x", REQUEST))
    await transport.close()


async def test_it_reconnects_when_the_peripheral_comes_back(bluez: FakeBluez, radio: BleRadio) -> None:
    peripheral = bluez.add(ADDRESS, Echo())
    for count in (1, 2, 3):
        transport = await BleTransport.open(ECHO, radio=radio)
        bluez.advance(1)
        assert (await _soon(transport)).data == bytes([count])
        bluez.unplug(peripheral)
        with pytest.raises(LinkLostError):
            await _soon(transport)
        await transport.close()
        bluez.plug(peripheral)


async def test_a_peripheral_that_appears_during_the_scan_is_taken(bluez: FakeBluez, radio: BleRadio) -> None:
    opening = asyncio.create_task(BleTransport.open(ECHO, radio=radio))
    await until(lambda: bluez.discovering)
    bluez.add(ADDRESS, Echo())
    transport = await opening
    await transport.close()


async def test_a_device_file_plays_its_device_and_its_driver_end_to_end(bluez: FakeBluez, radio: BleRadio) -> None:
    driver = load_driver("radiation.atom_fast")
    assert isinstance(driver.link, BleLink)
    simulator = atom_fast(5)
    simulator.do("source", rate=2.5)
    bluez.add(ADDRESS, simulator)
    transport = await BleTransport.open(driver.link, radio=radio)
    protocol = driver.open({})
    protocol.start(0.0)
    rates = []
    for count in range(10):
        bluez.advance(2)
        step = protocol.on_packet(2.0 * count, await _soon(transport))
        assert not step.faults
        measured = {sample.channel: sample.value for sample in step.samples if isinstance(sample, Measurement)}
        assert set(measured) == {channel.name for channel in driver.channels}
        rates.append(measured["dose-rate"])
    assert sum(rates) / len(rates) == pytest.approx(2.6, rel=0.2)
    await transport.close()


async def test_a_driver_that_asks_and_reassembles_end_to_end(bluez: FakeBluez) -> None:
    """Requests in pieces of 18 bytes without response, answers in pieces of 20, a spectrum of 1024 channels."""
    driver = load_driver("radiation.radiacode")
    assert isinstance(driver.link, BleLink)
    simulator = RadiaCodeSim(Random(5))
    simulator.do("source", rate=1.0)
    peripheral = bluez.add(ADDRESS, simulator)
    radio = BleRadio(limits=replace(LIMITS, notifications=1000))
    transport = await BleTransport.open(driver.link, radio=radio)
    protocol = driver.open({})
    bluez.advance(30)
    now, step = 0.0, protocol.start(0.0)
    missing = {channel.name for channel in driver.channels}
    while missing:
        for packet in step.write:
            await transport.write(packet)
        if (came := await _next(transport)) is not None:
            step = protocol.on_packet(now, came)
        else:
            assert step.wake_at is not None
            bluez.advance(step.wake_at - now)
            now = step.wake_at
            step = protocol.on_timer(now)
        assert not step.faults
        missing -= {sample.channel for sample in step.samples if isinstance(sample, Measurement | Spectrum)}
    assert {kind for _, _, kind in peripheral.written} == {"command"}
    await transport.close()
    radio.close()


async def test_close_disconnects_the_peripheral_and_may_be_called_twice(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo())
    transport = await BleTransport.open(ECHO, radio=radio)
    assert bluez.connected == [ADDRESS]
    await transport.close()
    await transport.close()
    assert bluez.connected == []
    with pytest.raises(LinkLostError, match="closed"):
        await transport.read()


async def test_a_peripheral_left_connected_by_a_killed_hub_is_taken_over(bluez: FakeBluez, radio: BleRadio) -> None:
    peripheral = bluez.add(ADDRESS, Echo())
    peripheral.known = peripheral.connected = True
    transport = await BleTransport.open(ECHO, radio=radio)
    bluez.advance(1)
    assert await _soon(transport) == Packet(b"\x01", ANSWER)
    assert f"{DEVICE_INTERFACE}.Connect" not in bluez.calls
    assert f"{ADAPTER_INTERFACE}.StartDiscovery" not in bluez.calls
    await transport.close()


async def test_two_devices_of_one_model_get_one_peripheral_each(bluez: FakeBluez, radio: BleRadio) -> None:
    bluez.add(ADDRESS, Echo("Echo-1"))
    bluez.add(OTHER, Echo("Echo-2"))
    links = await asyncio.gather(*(BleTransport.open(ECHO, radio=radio) for _ in range(2)))
    assert {link.identity.path for link in links} == {"Echo-1", "Echo-2"}
    with pytest.raises(LinkBusyError, match=ADDRESS):
        await BleTransport.open(ECHO, radio=radio, address=ADDRESS)
    for link in links:
        await link.close()
    again = await BleTransport.open(ECHO, radio=radio, address=ADDRESS)
    await again.close()


async def test_scans_take_turns(bluez: FakeBluez, radio: BleRadio) -> None:
    """BlueZ answers InProgress to a second StartDiscovery of one client."""
    bluez.add(ADDRESS, Echo())
    scans = await asyncio.gather(*(radio.discover(0.05) for _ in range(4)))
    assert [len(found) for found in scans] == [1, 1, 1, 1]


async def test_an_absent_peripheral_does_not_hold_up_a_present_one(bluez: FakeBluez, radio: BleRadio) -> None:
    patient = BleRadio(limits=replace(LIMITS, scan=60))
    absent = asyncio.create_task(BleTransport.open(BleLink(notify=(), name="Absent"), radio=patient))
    await until(lambda: bluez.discovering)
    present = asyncio.create_task(BleTransport.open(ECHO, radio=patient))
    await until(lambda: len(patient._listeners) == 2)
    bluez.add(ADDRESS, Echo())
    transport = await asyncio.wait_for(present, PATIENCE)
    assert not absent.done()
    absent.cancel()
    await asyncio.wait({absent})
    assert bluez.calls.count(f"{ADAPTER_INTERFACE}.StartDiscovery") == 1
    await transport.close()
    patient.close()
