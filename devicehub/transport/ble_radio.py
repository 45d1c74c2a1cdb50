"""The Bluetooth adapter, shared by all BLE links: who is near, and who is in use.

One `BleRadio` is made by the composition root. BlueZ serves one discovery per client at a time, so
scans take turns; a scan feeds everybody who waits, so that an absent peripheral never holds up a
present one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devicehub.model.errors import ConfigError, LinkBusyError, LinkMissingError
from devicehub.transport.ble_errors import bluetooth_errors, bounded, retrieve
from devicehub.transport.ble_watch import BluezWatch

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

GATT_SERVICE = "00001801-0000-1000-8000-00805f9b34fb"


@dataclass(frozen=True, slots=True)
class BleLimits:
    """How long to wait, in seconds, and how many notifications may wait for a reader.

    `scan`: for a peripheral to be heard. `connect`: to connect, discover services and subscribe.
    `reply`: for the Bluetooth daemon to answer anything else.
    """

    scan: float = 10.0
    connect: float = 15.0
    reply: float = 5.0
    notifications: int = 4096


LIMITS = BleLimits()


@dataclass(frozen=True, slots=True)
class Peripheral:
    """A peripheral that was heard. `services`: advertised UUIDs, lower case. `rssi` in dBm, None when connected."""

    address: str
    name: str
    services: tuple[str, ...]
    rssi: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which peripheral is looked for: its address, else a prefix of its advertised name or a service it offers.

    `whole`: the name is not a prefix but all of it.
    """

    address: str = ""
    name: str = ""
    service: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        if not (self.address or self.name or self.service):
            raise ConfigError("a BLE device needs an address or a name to be found by")

    def __str__(self) -> str:
        if self.address:
            return self.address
        return " or ".join(
            [f"named '{self.name}{'' if self.whole else '...'}'"] * bool(self.name)
            + [f"with service {self.service}"] * bool(self.service)
        )

    def matches(self, peripheral: Peripheral) -> bool:
        """Whether this is the one."""
        if self.address:
            return peripheral.address.lower() == self.address.lower()
        if self.name and (peripheral.name == self.name if self.whole else peripheral.name.startswith(self.name)):
            return True
        return bool(self.service) and self.service.lower() in peripheral.services


Heard = Callable[[Peripheral, "BLEDevice"], None]


class BleRadio:
    """Scans on one adapter, one scan at a time, and knows which peripherals are in use."""

    def __init__(self, *, adapter: str = "", limits: BleLimits = LIMITS) -> None:
        """`adapter`: its name, such as "hci1"; empty for the first that is powered."""
        self.limits = limits
        self._adapter = adapter
        self._turn = asyncio.Lock()
        self._listeners: list[Heard] = []
        self._held: dict[str, Callable[[str], None] | None] = {}
        self._distrusted: set[str] = set()
        self._watch = BluezWatch(died=self._on_death, removed=self._on_removal)
        self._scanning: asyncio.Task[None] | None = None
        self._scans: set[asyncio.Task[None]] = set()

    async def discover(self, seconds: float) -> list[Peripheral]:
        """Every peripheral heard within `seconds`, strongest first; connected ones last.

        Raises `LinkMissingError` without a working adapter, `LinkPermissionError`.
        """
        heard: dict[str, Peripheral] = {}

        def note(peripheral: Peripheral, device: "BLEDevice") -> None:
            del device
            heard[peripheral.address] = peripheral

        await self._listen(note, asyncio.get_running_loop().create_future(), seconds)
        return sorted(heard.values(), key=lambda one: (one.rssi is None, -(one.rssi or 0), one.address))

    async def find(self, wanted: Wanted) -> tuple[Peripheral, "BLEDevice"]:
        """The peripheral and bleak's name for it; it is held for the caller until `release`.

        Raises `LinkMissingError` when it is not heard in time or there is no working adapter,
        `LinkBusyError` when it is held already, `LinkPermissionError`.
        """
        found: list[tuple[Peripheral, BLEDevice]] = []
        busy: set[str] = set()
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def match(peripheral: Peripheral, device: "BLEDevice") -> None:
            if until.done() or not wanted.matches(peripheral):
                return
            if peripheral.address in self._held:
                busy.add(peripheral.address)
            else:
                self._held[peripheral.address] = None
                found.append((peripheral, device))
                until.set_result(None)

        try:
            await self._listen(match, until, self.limits.scan)
        except BaseException:
            for peripheral, _ in found:
                self.release(peripheral.address)
            raise
        if found:
            return found[0]
        if busy:
            raise LinkBusyError(f"BLE device {wanted} is in use by this hub already: {', '.join(sorted(busy))}")
        self._distrusted.clear()
        raise LinkMissingError(
            f"BLE device {wanted} not heard within {self.limits.scan:g} s:"
            " switch it on, bring it near, and close any phone app that holds it"
        )

    async def watch(self, address: str, lost: Callable[[str], None]) -> None:
        """Have `lost` called with the reason when the Bluetooth daemon dies or drops `address` while it is held."""
        self._held[address] = lost
        await self._watch.start()

    def release(self, address: str, *, failed: bool = False) -> None:
        """The peripheral may be found again; after a failed connect only once it is heard again."""
        self._held.pop(address, None)
        if failed:
            self._distrusted.add(address)

    def close(self) -> None:
        """Give the bus back. Links are closed by their owners, before."""
        self._watch.close()

    def _on_death(self) -> None:
        self._distrusted.update(self._held)
        for lost in list(self._held.values()):
            if lost is not None:
                lost("the Bluetooth daemon stopped")

    def _on_removal(self, address: str) -> None:
        lost = self._held.get(address)
        if lost is not None:
            lost("disconnected: the Bluetooth daemon dropped it")

    async def _listen(self, heard: Heard, until: "asyncio.Future[None]", most: float) -> None:
        """Listen until `until` is done, or for `most` seconds; afterwards it is done or cancelled."""
        self._listeners.append(heard)
        # A StartDiscovery that is abandoned half-way leaves BlueZ answering InProgress to every later one:
        # the scan is a task of its own, never cancelled but told to end through `until`.
        scan = asyncio.get_running_loop().create_task(self._scan(until, most))
        self._scans.add(scan)
        scan.add_done_callback(self._scanned)
        try:
            await asyncio.wait({scan, until}, return_when=asyncio.FIRST_COMPLETED)
            if scan.done() or scan is self._scanning:
                await asyncio.shield(scan)
        finally:
            self._listeners.remove(heard)
            until.cancel()

    def _scanned(self, scan: "asyncio.Task[None]") -> None:
        self._scans.discard(scan)
        retrieve(scan)

    async def _scan(self, until: "asyncio.Future[None]", most: float) -> None:
        from bleak import BleakScanner  # noqa: PLC0415 - takes longer to import than all of the hub; only BLE pays

        async with self._turn:
            self._scanning = asyncio.current_task()
            with bluetooth_errors("scan for BLE devices"):
                if not until.done():
                    await bounded(self._offer_connected(), self.limits.reply)
                if until.done():
                    return
                scanner = BleakScanner(
                    self._on_advertisement, bluez={"adapter": self._adapter} if self._adapter else {}
                )
                await bounded(scanner.start(), self.limits.reply)
                try:
                    await asyncio.wait({until}, timeout=most)
                finally:
                    await bounded(scanner.stop(), self.limits.reply)

    async def _offer_connected(self) -> None:
        """A hub that was killed leaves its peripherals connected, and a connected peripheral does not advertise.

        Not those that failed just now: bleak's picture of what is connected outlives a daemon that crashed.
        """
        from bleak import BleakAdapter  # noqa: PLC0415 - as above

        adapter = await BleakAdapter.get(bluez={"adapter": self._adapter} if self._adapter else {})
        for device in await adapter.get_connected_devices([GATT_SERVICE]):
            if device.address not in self._distrusted:
                self._tell(Peripheral(device.address, device.name or "", (), None), device)

    def _on_advertisement(self, device: "BLEDevice", advertisement: "AdvertisementData") -> None:
        self._distrusted.discard(device.address)
        services = tuple(service.lower() for service in advertisement.service_uuids)
        name = advertisement.local_name or device.name or ""
        self._tell(Peripheral(device.address, name, services, advertisement.rssi), device)

    def _tell(self, peripheral: Peripheral, device: "BLEDevice") -> None:
        for listener in self._listeners:
            listener(peripheral, device)
