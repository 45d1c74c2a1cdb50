"""The descriptors of a simulated USB device in the shape that pyusb takes from a backend.

Field names are those of the USB 2.0 specification, chapter 9.6.
"""
# ruff: noqa: N815 # the specification's field names

import struct
from dataclasses import dataclass

from devicehub.simulator import Interface, UsbDescriptor

_TYPES = {"control": 0, "isochronous": 1, "bulk": 2, "interrupt": 3}
_ENGLISH = 0x0409


@dataclass(frozen=True, slots=True)
class DeviceDescriptor:
    """The 18-byte device descriptor, and where the device is."""

    idVendor: int
    idProduct: int
    bcdDevice: int
    iManufacturer: int
    iProduct: int
    iSerialNumber: int
    bus: int
    address: int
    port_numbers: tuple[int, ...]
    port_number: int
    bLength: int = 18
    bDescriptorType: int = 1
    bcdUSB: int = 0x0200
    bDeviceClass: int = 0
    bDeviceSubClass: int = 0
    bDeviceProtocol: int = 0
    bMaxPacketSize0: int = 64
    bNumConfigurations: int = 1
    speed: int = 3

    @classmethod
    def of(cls, device: UsbDescriptor, bus: int, address: int, ports: tuple[int, ...]) -> "DeviceDescriptor":
        """Index 0 stands for a string the device does not have."""
        return cls(
            idVendor=device.vendor,
            idProduct=device.product,
            bcdDevice=device.release,
            iManufacturer=1 if device.manufacturer else 0,
            iProduct=2 if device.title else 0,
            iSerialNumber=3 if device.serial else 0,
            bus=bus,
            address=address,
            port_numbers=ports,
            port_number=ports[-1],
        )


@dataclass(frozen=True, slots=True)
class ConfigurationDescriptor:
    """The 9-byte configuration descriptor."""

    bConfigurationValue: int
    bNumInterfaces: int
    wTotalLength: int
    bLength: int = 9
    bDescriptorType: int = 2
    iConfiguration: int = 0
    bmAttributes: int = 0x80
    bMaxPower: int = 250
    extra_descriptors: tuple[int, ...] = ()

    @classmethod
    def of(cls, device: UsbDescriptor) -> "ConfigurationDescriptor":
        """The only configuration."""
        total = 9 + sum(9 + 7 * len(one.endpoints) + len(one.extra) for one in device.interfaces)
        return cls(device.configuration, len({interface.number for interface in device.interfaces}), total)


@dataclass(frozen=True, slots=True)
class InterfaceDescriptor:
    """The 9-byte interface descriptor."""

    bInterfaceNumber: int
    bAlternateSetting: int
    bNumEndpoints: int
    bInterfaceClass: int
    bInterfaceSubClass: int
    bInterfaceProtocol: int
    bLength: int = 9
    bDescriptorType: int = 4
    iInterface: int = 0
    extra_descriptors: tuple[int, ...] = ()

    @classmethod
    def of(cls, device: UsbDescriptor, index: int, alternate: int) -> "InterfaceDescriptor":
        """Raises `IndexError` past the end."""
        interface = _interface(device, index, alternate)
        return cls(
            interface.number,
            interface.alternate,
            len(interface.endpoints),
            *interface.triple,
            extra_descriptors=tuple(interface.extra),
        )


@dataclass(frozen=True, slots=True)
class EndpointDescriptor:
    """The 7-byte endpoint descriptor."""

    bEndpointAddress: int
    bmAttributes: int
    wMaxPacketSize: int
    bInterval: int
    bLength: int = 7
    bDescriptorType: int = 5
    bRefresh: int = 0
    bSynchAddress: int = 0
    extra_descriptors: tuple[int, ...] = ()

    @classmethod
    def of(cls, device: UsbDescriptor, index: int, alternate: int, endpoint: int) -> "EndpointDescriptor":
        """Raises `IndexError` past the end."""
        found = _interface(device, index, alternate).endpoints[endpoint]
        return cls(found.address, _TYPES[found.kind], found.size, 1 if found.kind == "interrupt" else 0)


def _interface(device: UsbDescriptor, index: int, alternate: int) -> Interface:
    number = sorted({interface.number for interface in device.interfaces})[index]
    settings = [interface for interface in device.interfaces if interface.number == number]
    return sorted(settings, key=lambda interface: interface.alternate)[alternate]


def string_descriptor(device: UsbDescriptor, index: int) -> bytes | None:
    """A string descriptor (0: the languages); None for one that does not exist, which a device stalls."""
    if index == 0:
        return struct.pack("<BBH", 4, 3, _ENGLISH)
    text = {1: device.manufacturer, 2: device.title, 3: device.serial}.get(index, "")
    data = text.encode("utf-16-le")
    return bytes([len(data) + 2, 3]) + data if text else None
