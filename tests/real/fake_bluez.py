"""`org.bluez` on a private bus: one adapter and simulated peripherals, for bleak unmodified.

The interfaces are those of BlueZ's D-Bus API (doc/org.bluez.Adapter.rst, Device, GattService,
GattCharacteristic). Time passes only by `advance`.
"""

import socket
from collections.abc import Callable

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from devicehub.simulator import BleSimulator
from tests.real.bluez_peripheral import (
    ADAPTER,
    CHARACTERISTIC_INTERFACE,
    DEVICE_INTERFACE,
    FakePeripheral,
    Interfaces,
    Properties,
)

ADAPTER_INTERFACE = "org.bluez.Adapter1"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
FAILED = "org.bluez.Error.Failed"


class FakeBluez:
    """The daemon. Verbs: `add`, `plug`, `unplug`, `advance`, `power`, `remove_adapter`, `freeze`, `crash`."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._peripherals: dict[str, FakePeripheral] = {}
        self._discovering: set[str] = set()
        self._frozen = False
        self.adapter: Properties | None = None
        self.refuse_connect: tuple[str, str] | None = None
        self.refuse_write: tuple[str, str] | None = None
        self.hold_connect = False
        self.calls: list[str] = []
        self._methods: dict[str, Callable[[Message], Message | None]] = {
            f"{OBJECT_MANAGER}.GetManagedObjects": self._managed_objects,
            f"{ADAPTER_INTERFACE}.SetDiscoveryFilter": Message.new_method_return,
            f"{ADAPTER_INTERFACE}.StartDiscovery": self._start_discovery,
            f"{ADAPTER_INTERFACE}.StopDiscovery": self._stop_discovery,
            f"{ADAPTER_INTERFACE}.RemoveDevice": self._remove_device,
            f"{DEVICE_INTERFACE}.Connect": self._connect,
            f"{DEVICE_INTERFACE}.Disconnect": self._disconnect,
            f"{CHARACTERISTIC_INTERFACE}.StartNotify": self._start_notify,
            f"{CHARACTERISTIC_INTERFACE}.StopNotify": self._stop_notify,
            f"{CHARACTERISTIC_INTERFACE}.AcquireNotify": self._acquire_notify,
            f"{CHARACTERISTIC_INTERFACE}.WriteValue": self._write_value,
            f"{CHARACTERISTIC_INTERFACE}.ReadValue": self._read_value,
        }
        bus.add_message_handler(self._on_message)

    @classmethod
    async def start(cls, bus_address: str) -> "FakeBluez":
        """Own `org.bluez` on that bus, with a powered adapter."""
        bus = await MessageBus(bus_address=bus_address, negotiate_unix_fd=True).connect()
        bluez = cls(bus)
        await bus.request_name("org.bluez")
        bluez.add_adapter()
        return bluez

    # What a test does to the world.

    def add(self, address: str, simulator: BleSimulator) -> FakePeripheral:
        """Bring a peripheral near."""
        peripheral = FakePeripheral(address, simulator)
        self._peripherals[peripheral.path] = peripheral
        self._advertise(peripheral)
        return peripheral

    def plug(self, peripheral: FakePeripheral) -> None:
        """Bring it back."""
        peripheral.near = True
        self._advertise(peripheral)

    def unplug(self, peripheral: FakePeripheral) -> None:
        """Take it out of range: its connection drops and it advertises no more."""
        peripheral.near = False
        self._drop(peripheral)

    def advance(self, dt: float) -> None:
        """`dt` seconds pass for every peripheral; a notification reaches whoever subscribed."""
        for peripheral in self._peripherals.values():
            self._notify(peripheral, peripheral.simulator.advance(dt))

    def power(self, *, on: bool) -> None:
        """Switch the adapter; off drops every connection."""
        assert self.adapter is not None
        if not on:
            self._discovering.clear()
            for peripheral in self._peripherals.values():
                self._drop(peripheral)
        self.adapter["Powered"] = Variant("b", on)
        self._changed(ADAPTER, ADAPTER_INTERFACE, {"Powered": Variant("b", on)})

    def add_adapter(self) -> None:
        """Plug the adapter in."""
        self.adapter = {
            "Address": Variant("s", "00:11:22:33:44:55"),
            "Powered": Variant("b", value=True),
            "Discovering": Variant("b", value=False),
            "Roles": Variant("as", ["central", "peripheral"]),
        }
        self._added(ADAPTER, {ADAPTER_INTERFACE: self.adapter})

    def remove_adapter(self, *, silently: bool = False) -> None:
        """Yank the adapter: connections drop (`silently`: without a word about each), its objects go."""
        self._discovering.clear()
        for peripheral in self._peripherals.values():
            if silently:
                peripheral.connected = False
            self._drop(peripheral)
            if peripheral.known:
                peripheral.known = False
                self._removed(peripheral.path, [DEVICE_INTERFACE])
        self.adapter = None
        self._removed(ADAPTER, [ADAPTER_INTERFACE])

    def freeze(self) -> None:
        """Hang: no call is answered any more."""
        self._frozen = True

    async def crash(self) -> None:
        """Die without a word, as a killed bluetoothd."""
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    @property
    def connected(self) -> list[str]:
        """Addresses of the peripherals with a connection."""
        return [peripheral.address for peripheral in self._peripherals.values() if peripheral.connected]

    @property
    def discovering(self) -> bool:
        """Whether a client is scanning."""
        return bool(self._discovering)

    # What bleak asks.

    def _on_message(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.destination not in {
            "org.bluez",
            self._bus.unique_name,
        }:
            return None
        name = f"{message.interface}.{message.member}"
        self.calls.append(name)
        if self._frozen:
            return True
        method = self._methods.get(name)
        if method is None:
            return None
        if message.interface == CHARACTERISTIC_INTERFACE and not self._owner(message).connected:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such characteristic")
        return method(message) or True

    def _managed_objects(self, message: Message) -> Message:
        objects: dict[str, Interfaces] = {}
        if self.adapter is not None:
            objects[ADAPTER] = {ADAPTER_INTERFACE: self.adapter}
        for peripheral in self._peripherals.values():
            if peripheral.known:
                objects[peripheral.path] = peripheral.device()
                objects.update(peripheral.gatt() if peripheral.connected else {})
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])

    def _start_discovery(self, message: Message) -> Message:
        if self.adapter is None or not self.adapter["Powered"].value:
            return Message.new_error(message, "org.bluez.Error.NotReady", "Resource Not Ready")
        if message.sender in self._discovering:
            return Message.new_error(message, "org.bluez.Error.InProgress", "Operation already in progress")
        self._discovering.add(str(message.sender))
        for peripheral in self._peripherals.values():
            self._advertise(peripheral)
        return Message.new_method_return(message)

    def _stop_discovery(self, message: Message) -> Message:
        if message.sender not in self._discovering:
            return Message.new_error(message, FAILED, "No discovery started")
        self._discovering.discard(str(message.sender))
        return Message.new_method_return(message)

    def _remove_device(self, message: Message) -> Message:
        peripheral = self._peripherals[message.body[0]]
        self._drop(peripheral)
        peripheral.known = False
        self._removed(peripheral.path, [DEVICE_INTERFACE])
        return Message.new_method_return(message)

    def _connect(self, message: Message) -> Message | None:
        peripheral = self._peripherals[str(message.path)]
        if self.refuse_connect is not None:
            return Message.new_error(message, *self.refuse_connect)
        if self.hold_connect or not peripheral.near:
            return None  # BlueZ goes on trying until somebody calls Disconnect
        peripheral.connected = True
        for path, interfaces in peripheral.gatt().items():
            self._added(path, interfaces)
        self._changed(peripheral.path, DEVICE_INTERFACE, peripheral.device()[DEVICE_INTERFACE])
        return Message.new_method_return(message)

    def _disconnect(self, message: Message) -> Message:
        peripheral = self._peripherals[str(message.path)]
        if not peripheral.connected:
            return Message.new_error(message, "org.bluez.Error.NotConnected", "Not Connected")
        self._drop(peripheral)
        self._advertise(peripheral)
        return Message.new_method_return(message)

    def _start_notify(self, message: Message) -> Message:
        peripheral = self._owner(message)
        if peripheral.characteristics()[str(message.path)] in peripheral.silent:
            return Message.new_error(message, "org.bluez.Error.NotPermitted", "Operation is not permitted")
        peripheral.notifying.add(str(message.path))
        return Message.new_method_return(message)

    def _read_value(self, message: Message) -> Message:
        """As BlueZ: what is read of a subscribed characteristic is also told as its value."""
        peripheral = self._owner(message)
        uuid = peripheral.characteristics()[str(message.path)]
        if uuid not in peripheral.values:
            return Message.new_error(message, "org.bluez.Error.NotPermitted", "Read not permitted")
        self._notify(peripheral, [(uuid, peripheral.values[uuid])])
        return Message.new_method_return(message, "ay", [peripheral.values[uuid]])

    def _stop_notify(self, message: Message) -> Message:
        self._owner(message).notifying.discard(str(message.path))
        return Message.new_method_return(message)

    def _acquire_notify(self, message: Message) -> Message:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._owner(message).acquired[str(message.path)] = (ours, theirs)
        return Message.new_method_return(message, "hq", [0, 185], unix_fds=[theirs.fileno()])

    def _write_value(self, message: Message) -> Message | None:
        if self.refuse_write is not None:
            return Message.new_error(message, *self.refuse_write)
        peripheral = self._owner(message)
        value, options = message.body
        uuid = peripheral.characteristics()[str(message.path)]
        peripheral.written.append((uuid, bytes(value), options["type"].value))
        self._bus.send(Message.new_method_return(message))
        self._notify(peripheral, peripheral.simulator.on_write(uuid, bytes(value)))
        return None

    # How BlueZ tells.

    def _owner(self, message: Message) -> FakePeripheral:
        return next(p for p in self._peripherals.values() if str(message.path).startswith(p.path))

    def _advertise(self, peripheral: FakePeripheral) -> None:
        if not self._discovering or not peripheral.near or peripheral.connected:
            return
        if peripheral.known:
            self._changed(peripheral.path, DEVICE_INTERFACE, {"RSSI": Variant("n", -58)})
        else:
            peripheral.known = True
            self._added(peripheral.path, peripheral.device())

    def _drop(self, peripheral: FakePeripheral) -> None:
        if peripheral.connected:
            peripheral.connected = False
            peripheral.notifying.clear()
            while peripheral.acquired:
                for end in peripheral.acquired.popitem()[1]:
                    end.close()
            lost = {"Connected": Variant("b", value=False), "ServicesResolved": Variant("b", value=False)}
            self._changed(peripheral.path, DEVICE_INTERFACE, lost)

    def _notify(self, peripheral: FakePeripheral, values: list[tuple[str, bytes]]) -> None:
        paths = {uuid: path for path, uuid in peripheral.characteristics().items()}
        for uuid, value in values:
            if paths[uuid] in peripheral.acquired:
                peripheral.acquired[paths[uuid]][0].send(value)
            elif paths[uuid] in peripheral.notifying:
                self._changed(paths[uuid], CHARACTERISTIC_INTERFACE, {"Value": Variant("ay", value)})

    def _changed(self, path: str, interface: str, properties: Properties) -> None:
        body = [interface, properties, []]
        self._bus.send(Message.new_signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body))

    def _added(self, path: str, interfaces: Interfaces) -> None:
        body = [path, interfaces]
        self._bus.send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", body))

    def _removed(self, path: str, interfaces: list[str]) -> None:
        body = [path, interfaces]
        self._bus.send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", body))
