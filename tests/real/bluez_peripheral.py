"""A simulated GATT peripheral as BlueZ shows it: object paths, properties and characteristics."""

import socket
from dataclasses import dataclass, field

from dbus_fast import Variant

from devicehub.simulator import BleSimulator

ADAPTER = "/org/bluez/hci0"
DEVICE_INTERFACE = "org.bluez.Device1"
SERVICE_INTERFACE = "org.bluez.GattService1"
CHARACTERISTIC_INTERFACE = "org.bluez.GattCharacteristic1"
GENERIC_ATTRIBUTE = "00001801-0000-1000-8000-00805f9b34fb"

Properties = dict[str, Variant]
Interfaces = dict[str, Properties]


@dataclass
class FakePeripheral:
    """One peripheral: a simulator, its address and what BlueZ knows of it.

    `values`: of the characteristics that can be read. `silent`: those that refuse to be subscribed to.
    """

    address: str
    simulator: BleSimulator
    near: bool = True
    connected: bool = False
    known: bool = False
    notifying: set[str] = field(default_factory=set)
    acquired: dict[str, tuple[socket.socket, socket.socket]] = field(default_factory=dict)
    written: list[tuple[str, bytes, str]] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        return f"{ADAPTER}/dev_{self.address.replace(':', '_')}"

    def device(self) -> Interfaces:
        """Device1 as it stands."""
        uuids = [*self.simulator.services, *([GENERIC_ATTRIBUTE] if self.connected else [])]
        return {
            DEVICE_INTERFACE: {
                "Address": Variant("s", self.address),
                "AddressType": Variant("s", "random"),
                "Name": Variant("s", self.simulator.name),
                "Alias": Variant("s", self.simulator.name),
                "Adapter": Variant("o", ADAPTER),
                "UUIDs": Variant("as", uuids),
                "RSSI": Variant("n", -60),
                "Paired": Variant("b", value=False),
                "Trusted": Variant("b", value=False),
                "Connected": Variant("b", self.connected),
                "ServicesResolved": Variant("b", self.connected),
            }
        }

    def gatt(self) -> dict[str, Interfaces]:
        """Services and characteristics by object path. Handles count up as in an attribute table."""
        objects: dict[str, Interfaces] = {}
        handle = 10
        for service, characteristics in self.simulator.services.items():
            service_path = f"{self.path}/service{handle:04x}"
            handle += 1
            objects[service_path] = {
                SERVICE_INTERFACE: {
                    "UUID": Variant("s", service),
                    "Device": Variant("o", self.path),
                    "Primary": Variant("b", value=True),
                }
            }
            for uuid, flags in characteristics:
                objects[f"{service_path}/char{handle:04x}"] = _characteristic(service_path, uuid, flags)
                handle += 2
        return objects

    def characteristics(self) -> dict[str, str]:
        """UUID by object path."""
        return {
            path: str(interfaces[CHARACTERISTIC_INTERFACE]["UUID"].value)
            for path, interfaces in self.gatt().items()
            if CHARACTERISTIC_INTERFACE in interfaces
        }


def _characteristic(service_path: str, uuid: str, flags: tuple[str, ...]) -> Interfaces:
    properties = {
        "UUID": Variant("s", uuid),
        "Service": Variant("o", service_path),
        "Flags": Variant("as", list(flags)),
        "Value": Variant("ay", b""),
        "MTU": Variant("q", 185),
    }
    if "notify" in flags:
        properties["NotifyAcquired"] = Variant("b", value=False)
    return {CHARACTERISTIC_INTERFACE: properties}
