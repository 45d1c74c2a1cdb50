"""What is plugged in: a pure reducer from looks at the system to arrivals and departures.

Events about hot-plugging are late and may describe the wrong device: after a fast replug udev can
deliver the `remove` of the old device when the new one exists already, with the new one's serial
number in it. So an event is only a reason to look: what counts is what sysfs holds at that path when
the event is handled. A device is one stay of one thing at one path, told apart by its `Key`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from devicehub.model.device import UsbId


class Kind(StrEnum):
    """How a device can be reached."""

    SERIAL = "serial"
    USB = "usb"
    VIDEO = "video"
    INPUT = "input"
    BLE_ADAPTER = "ble-adapter"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One stay of a device: its path below /sys and what changes when it comes back to the same path.

    `devnum`: the USB device number, new at every enumeration; 0 without USB. `inode`: of its sysfs
    folder, new whenever the kernel makes the folder anew.
    """

    path: str
    devnum: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A device that is there.

    `node`: what to open, such as "/dev/ttyACM0", or an adapter's name ("hci0"). `port`: the path of
    the USB device it belongs to, which is the socket it is plugged into; empty without USB.
    `interface`: the USB interface number, None without.
    """

    kind: Kind
    key: Key
    usb: UsbId | None = None
    serial: str = ""
    node: str = ""
    interface: int | None = None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A device came."""

    device: Present


@dataclass(frozen=True, slots=True)
class Departure:
    """A device that had arrived went."""

    device: Present


@dataclass(frozen=True, slots=True)
class Change:
    """Something was reported for a path, and `now` is what sysfs holds there (None: nothing of ours).

    After a `removal` nothing arrives: whatever stands there by now has an event of its own, which
    comes once udev has set the node's permissions.
    """

    path: str
    now: Present | None
    removal: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is there."""

    devices: tuple[Present, ...]


class Inventory:
    """The devices present. Every arrival has at most one departure, and departures only follow arrivals."""

    def __init__(self) -> None:
        self._present: dict[str, Present] = {}

    @property
    def present(self) -> tuple[Present, ...]:
        """What has arrived and not departed, by path."""
        return tuple(self._present[path] for path in sorted(self._present))

    def holds(self, device: Present) -> bool:
        """Whether this very stay of the device is known."""
        known = self._present.get(device.key.path)
        return known is not None and known.key == device.key

    def apply(self, event: Change | Snapshot) -> list[Arrival | Departure]:
        """Take one look; what came and went by it, departures first."""
        if isinstance(event, Change):
            arriving = [event.now] if event.now is not None and not event.removal else []
            leaving = [event.path] if event.now is None or not self.holds(event.now) else []
        else:
            arriving = list(event.devices)
            staying = {device.key.path for device in event.devices if self.holds(device)}
            leaving = [path for path in sorted(self._present) if path not in staying]
        return [*self._depart(leaving), *self._arrive(arriving)]

    def _depart(self, paths: Iterable[str]) -> list[Departure]:
        return [Departure(self._present.pop(path)) for path in paths if path in self._present]

    def _arrive(self, devices: Iterable[Present]) -> list[Arrival]:
        arrivals = []
        for device in devices:
            if device.key.path not in self._present:
                self._present[device.key.path] = device
                arrivals.append(Arrival(device))
        return arrivals


@dataclass(frozen=True, slots=True)
class Conflict:
    """Devices in different sockets that say they are the same: same USB id and serial number (which may be empty).

    Both are kept; only `Present.port` tells them apart.
    """

    usb: UsbId
    serial: str
    devices: tuple[Present, ...]


def conflicts(present: Iterable[Present]) -> list[Conflict]:
    """The sets of devices that cannot be told apart by USB id and serial number.

    Several nodes of one composite device share both rightly and are no conflict.
    """
    alike: dict[tuple[int, int, str], list[Present]] = {}
    for device in present:
        if device.usb is not None:
            alike.setdefault((device.usb.vendor, device.usb.product, device.serial), []).append(device)
    return [
        Conflict(UsbId(vendor, product), serial, tuple(sorted(devices, key=lambda one: one.key)))
        for (vendor, product, serial), devices in sorted(alike.items())
        if len({device.port for device in devices}) > 1
    ]
