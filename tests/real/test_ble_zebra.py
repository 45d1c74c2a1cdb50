"""A Zebra scanner with credits on a simulated Bluetooth daemon: bleak unmodified, each write of the kind it allows."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.collect.session import Session
from devicehub.model.errors import LinkLostError
from devicehub.model.reading import Fault, Input, Reading, Scan
from devicehub.registry import load_driver
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from simulators.scanner.zebra_ssi_ble import ZebraBleScanner
from tests.patience import PATIENCE
from tests.real.ble_world import ADDRESS, LIMITS, needs_dbus_daemon, simulated_bluetooth, until

pytestmark = [pytest.mark.real, needs_dbus_daemon]


async def test_scans_come_over_bluetooth_until_the_scanner_is_carried_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = load_driver("scanner.zebra_ssi_ble")
    heard: list[Input] = []
    async with simulated_bluetooth(tmp_path, monkeypatch) as bluez:
        radio, scanner = BleRadio(limits=replace(LIMITS, notifications=64)), ZebraBleScanner(Random(1))
        peripheral = bluez.add(ADDRESS, scanner)
        transport = await BleTransport.open(driver.link, radio=radio)  # type: ignore[arg-type]  # it is a BleLink
        session = Session("reader", driver.open({}), lambda _: None, heard.append, Clock())
        task = asyncio.create_task(session.run(transport, lambda: None))
        await until(lambda: any(isinstance(one, Reading) for one in heard))
        scanner.do("long", length=700)
        bluez.advance(0.1)
        await until(lambda: b"Z" * 700 in scans(heard))
        kinds = {(uuid[:8], kind) for uuid, _, kind in peripheral.written}
        assert kinds == {("00000003", "request"), ("00000001", "command")}
        assert scanner.overdrawn == 0
        bluez.unplug(peripheral)
        with pytest.raises(LinkLostError):
            await asyncio.wait_for(task, PATIENCE)
        assert [one for one in heard if isinstance(one, Fault)] == []
        await transport.close()
        radio.close()


def scans(heard: list[Input]) -> list[bytes]:
    return [one.sample.data for one in heard if isinstance(one, Reading) and isinstance(one.sample, Scan)]
