"""Drivers over Bluetooth: unmodified bleak, the real daemon, and the kernel's own Bluetooth on a virtual controller."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.cli.parser import build_parser
from devicehub.cli.record_unknown import record_unknown
from devicehub.clock import since_boot
from devicehub.driver import BleLink, Driver
from devicehub.model.reading import Sample
from devicehub.record import parse
from devicehub.registry import driver_names, load_driver, load_simulator
from devicehub.simulator import BleSimulator
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_radio import BleRadio
from devicehub.transport.link import Transport
from devicehub.wire.protocol import Step
from tests.conformance import measured
from tests.programs import lacking, located
from tests.usb_talk import talk
from tests.vm.aside import Aside
from tests.vm.controller import Controller, Near
from tests.vm.inside.opening import PATIENCE, loss, patiently
from tests.vm.inside.workplace import LOST, READY, workplace

pytestmark = pytest.mark.vm

DRIVERS = [name for name in driver_names() if isinstance(load_driver(name).link, BleLink)]
DAEMON = Path("/usr/libexec/bluetooth/bluetoothd")
BUS = Path("/run/dbus/system_bus_socket")
HASTE = 4.0
POWER_ON = (
    *("dbus-send", "--system", "--print-reply", "--dest=org.bluez", "/org/bluez/hci0"),
    *("org.freedesktop.DBus.Properties.Set", "string:org.bluez.Adapter1", "string:Powered", "variant:boolean:true"),
)


class Air:
    """The controller, and what is within its reach, in a thread of their own."""

    def __init__(self) -> None:
        self._controller = Controller()
        self._aside = Aside(lambda dt: self._controller.advance(HASTE * dt))

    @contextmanager
    def open(self) -> Iterator["Air"]:
        self._aside.start()
        self._aside.do(self._controller.open)
        try:
            yield self
        finally:
            self._aside.do(self._controller.close)
            self._aside.stop()

    def near(self, simulator: BleSimulator, number: int) -> Near:
        """Each has an address of its own: the daemon remembers what services it found at one."""
        one = Near(simulator, f"C0:00:00:00:00:{number:02X}")
        self._aside.do(lambda: self._controller.near.append(one))
        return one

    def gone(self, one: Near) -> None:
        self._aside.do(lambda: self._controller.leave(one))


@pytest.fixture(scope="module")
def daemons() -> Iterator[None]:
    """The system's bus and BlueZ."""
    if not DAEMON.exists():
        lacking(f"NO REAL BLUETOOTH: no {DAEMON}: packaging/test.sh installs it")
    BUS.parent.mkdir(exist_ok=True)
    subprocess.run(["dbus-daemon", "--system", "--fork"], check=True)
    subprocess.run([str(located("modprobe")), "-a", "hci_vhci"], check=True)
    bluez = subprocess.Popen([str(DAEMON), "-n"])
    yield
    bluez.terminate()
    bluez.wait()


@pytest.fixture
def air(daemons: None) -> Iterator[Air]:
    with Air().open() as air:
        _power_on()
        yield air


def _power_on() -> None:
    """The daemon does so by itself or not, as it is set up; it takes a while to notice the adapter."""
    end = since_boot() + PATIENCE
    while subprocess.run(POWER_ON, capture_output=True, check=False).returncode:
        assert since_boot() < end, "the adapter does not go on"


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_driver_reads_its_peripheral_through_bluez(
    name: str, air: Air, record_property: Callable[[str, object], None]
) -> None:
    driver, simulator = load_driver(name), cast(BleSimulator, load_simulator(name)(Random(1)))
    simulator.do("demo")
    record_property("driver", name)
    record_property("through", "BlueZ, hci")
    near, radio = air.near(simulator, DRIVERS.index(name)), BleRadio()
    transport = await _opened(driver, radio)
    told = await _told(driver, transport)
    air.gone(near)
    why = await loss(transport)
    await transport.close()
    radio.close()
    assert told
    assert why


async def test_one_that_no_driver_is_given_for_is_recorded_with_its_table_and_its_notifications(
    air: Air, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = cast(BleSimulator, load_simulator("radiation.atom_fast")(Random(1)))
    simulator.do("demo")
    air.near(simulator, len(DRIVERS) + 1)
    out = tmp_path / "out.txt"
    words = ["record", f"ble:{simulator.name}", str(out), "--for", "8"]
    assert await asyncio.to_thread(record_unknown, build_parser().parse_args(words)) == 0
    text = out.read_text()
    assert f"# Unknown Bluetooth device '{simulator.name}', recorded " in text
    for service, characteristics in simulator.services.items():
        assert f"# Service {service} (" in text
        for uuid, _ in characteristics:
            assert f"#   {uuid} (" in text
    assert "Not subscribed" not in text
    notifying = {uuid for table in simulator.services.values() for uuid, flags in table if "notify" in flags}
    heard = {one.packet.port for one in parse(text) if one.packet is not None}
    assert heard
    assert heard <= notifying
    assert "may be radiation.atom_fast (0.9: service " in capsys.readouterr().out


async def test_an_adapter_that_is_yanked_while_connected_is_a_loss_and_what_comes_back_is_read_again(
    daemons: None, tmp_path: Path
) -> None:
    simulator = cast(BleSimulator, load_simulator("radiation.radiacode")(Random(1)))
    async with workplace(tmp_path, devices='id = "dosimeter", driver = "radiation.radiacode"', limits="") as place:
        with Air().open() as air:
            air.near(simulator, len(DRIVERS))
            await asyncio.to_thread(_power_on)
            await place.until_told("dosimeter", [READY])
            await place.more_readings("dosimeter")
        await place.until_told("dosimeter", [LOST], 1)
        with Air().open() as air:
            air.near(simulator, len(DRIVERS))
            await asyncio.to_thread(_power_on)
            begun = since_boot()
            await place.until_told("dosimeter", [READY], 2)
            print(f"back {since_boot() - begun:.1f} s after its adapter")
            await place.more_readings("dosimeter")


async def _opened(driver: Driver, radio: BleRadio) -> Transport:
    link = driver.link
    assert isinstance(link, BleLink)
    return await patiently(lambda: BleTransport.open(link, radio=radio))


async def _told(driver: Driver, transport: Transport) -> list[Sample]:
    told: list[Sample] = []

    def enough(step: Step) -> bool:
        told.extend(measured(driver, step))
        return bool(told)

    begun = since_boot()
    await talk(driver.open({}), transport, until=enough, seconds=PATIENCE)
    print(f"told after {since_boot() - begun:.1f} s")
    return told
