"""`record` of a Bluetooth device that no driver is given for, as a process, on a simulated Bluetooth daemon."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.clock import Clock
from devicehub.record import parse
from devicehub.registry import load_simulator
from devicehub.simulator import BleSimulator
from tests.patience import PATIENCE
from tests.real.ble_world import ADDRESS, ANSWER, OTHER, REQUEST, SERVICE, Echo, needs_dbus_daemon, simulated_bluetooth
from tests.real.bluez_peripheral import FakePeripheral
from tests.real.fake_bluez import FakeBluez

pytestmark = [pytest.mark.real, needs_dbus_daemon]

ROOT = Path(__file__).parents[2]
INFORMATION = "0000180a-0000-1000-8000-00805f9b34fb"
MAKER = "00002a29-0000-1000-8000-00805f9b34fb"
SYSTEM_ID = "00002a23-0000-1000-8000-00805f9b34fb"
MODEL = "00002a24-0000-1000-8000-00805f9b34fb"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
LOCKED = "0000dead-0000-1000-8000-00805f9b34fb"


class Stranger(Echo):
    """Says what it is, has a characteristic that it lets nobody subscribe to, and counts once a second."""

    def __init__(self) -> None:
        super().__init__("Echo-1\n9.00 < ff")
        self.services[SERVICE] += ((LOCKED, ("indicate",)), (BATTERY, ("read",)))
        self.services[INFORMATION] = ((MAKER, ("read",)), (SYSTEM_ID, ("read",)), (MODEL, ("read",)))


@pytest.fixture
async def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    async with simulated_bluetooth(tmp_path, monkeypatch) as daemon:
        yield daemon


@pytest.fixture
def stranger(bluez: FakeBluez) -> FakePeripheral:
    peripheral = bluez.add(ADDRESS, Stranger())
    peripheral.values = {MAKER: b"Acme\0", SYSTEM_ID: b"\x01\x00\xff", BATTERY: b"\x55"}
    peripheral.silent = frozenset({LOCKED})
    return peripheral


async def recording(tmp_path: Path, *words: str) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devicehub", "record", *words,
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def subscribed(peripheral: FakePeripheral, process: asyncio.subprocess.Process) -> None:
    clock = Clock()
    async with asyncio.timeout(PATIENCE):
        while not peripheral.notifying:
            assert process.returncode is None, await ended(process)
            await clock.sleep(0.01)


async def test_what_it_is_is_written_down_and_what_it_notifies_and_nothing_is_written_to_it(
    bluez: FakeBluez, stranger: FakePeripheral, tmp_path: Path
) -> None:
    process = await recording(tmp_path, ADDRESS.lower(), "out.txt", "--for", "3", "--json")
    await subscribed(stranger, process)
    bluez.advance(3)
    code, out, err = await ended(process)
    assert (code, json.loads(out)["received"], json.loads(out)["bytes"]) == (0, 3, 3), err
    text = (tmp_path / "out.txt").read_text()
    assert [(one.sign, one.text) for one in parse(text)] == [("<", f"@{ANSWER} {n:02x}") for n in (1, 2, 3)]
    assert "# Unknown Bluetooth device 'Echo-1\\x0a9.00 < ff', recorded " in text
    assert f"# Advertised services: {SERVICE}, {INFORMATION}.\n" in text
    assert f"# Service {INFORMATION} (Device Information)\n" in text
    assert f"#   {REQUEST} (Vendor specific), handle 11: write, write-without-response\n" in text
    assert f"#   {ANSWER} (Vendor specific), handle 13: notify\n" in text
    assert f"#   {MAKER} (Manufacturer Name String), handle 20: read; 'Acme'\n" in text
    assert f"#   {SYSTEM_ID} (System ID), handle 22: read; 01 00 ff\n" in text
    assert (
        f"#   {MODEL} (Model Number String), handle 24: read; not told: read {MODEL}: GATT Protocol Error: Read Not Permitted\n"
        in text
    )
    assert f"#   {BATTERY} (Battery Level), handle 17: read\n" in text
    assert f"# Not subscribed: subscribe to {LOCKED}: " in text
    assert text.index(ANSWER) < text.index(LOCKED) < text.index(BATTERY) < text.index(MAKER)
    assert stranger.written == []
    assert "org.bluez.GattCharacteristic1.WriteValue" not in bluez.calls
    assert bluez.connected == []


async def test_the_driver_of_one_that_is_known_is_named_by_its_service_and_by_its_bytes(
    bluez: FakeBluez, tmp_path: Path
) -> None:
    known = bluez.add(OTHER, cast(BleSimulator, load_simulator("radiation.atom_fast")(Random(1))))
    process = await recording(tmp_path, "ble:AtomFast-000123", "out.txt", "--for", "3")
    await subscribed(known, process)
    bluez.advance(5)
    code, out, err = await ended(process)
    assert code == 0, err
    (line,) = [line for line in out.splitlines() if "radiation.atom_fast" in line]
    assert line.startswith("may be radiation.atom_fast (0.9: service ")
    assert "# May be radiation.atom_fast (0.9: service " in (tmp_path / "out.txt").read_text()


async def test_a_name_is_all_of_it(bluez: FakeBluez, tmp_path: Path) -> None:
    bluez.add(OTHER, Echo("Echo-10"))
    wanted = bluez.add(ADDRESS, Echo("Echo-1"))
    process = await recording(tmp_path, "ble:Echo-1", "out.txt", "--for", "0.5")
    await subscribed(wanted, process)
    assert bluez.connected == [ADDRESS]
    assert (await ended(process))[0] == 0


async def test_one_that_is_not_there_leaves_no_file(bluez: FakeBluez, tmp_path: Path) -> None:
    bluez.add(OTHER, Echo())
    code, out, err = await ended(await recording(tmp_path, ADDRESS, "out.txt", "--for", "1"))
    assert (code, out) == (69, "")
    assert f"BLE device {ADDRESS} not heard within 10 s" in err
    assert not (tmp_path / "out.txt").exists()


async def test_one_that_goes_away_ends_the_recording_and_what_it_said_is_kept(
    bluez: FakeBluez, stranger: FakePeripheral, tmp_path: Path
) -> None:
    process = await recording(tmp_path, ADDRESS, "out.txt")
    await subscribed(stranger, process)
    bluez.advance(1)
    bluez.unplug(stranger)
    code, out, err = await ended(process)
    assert (code, out) == (69, "1 received, 1 bytes\n")
    assert "disconnected" in err
    assert len(parse((tmp_path / "out.txt").read_text())) == 1


async def test_ctrl_c_ends_it_and_gives_the_device_back(
    bluez: FakeBluez, stranger: FakePeripheral, tmp_path: Path
) -> None:
    process = await recording(tmp_path, ADDRESS, "out.txt")
    await subscribed(stranger, process)
    process.send_signal(signal.SIGINT)
    code, out, _ = await ended(process)
    assert (code, out) == (130, "0 received, 0 bytes\n")
    assert bluez.connected == []


async def test_a_place_without_a_name_is_a_wrong_command_line(tmp_path: Path) -> None:
    code, _, err = await ended(await recording(tmp_path, "ble:", "out.txt"))
    assert (code, (tmp_path / "out.txt").exists()) == (2, False)
    assert "behind 'ble:'" in err
