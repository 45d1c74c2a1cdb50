"""The backend that pyusb talks to when the bus is simulated: libusb's functions over `UsbSimulator` objects.

Errors are raised with the same numbers as libusb's on Linux: 19 gone, 13 no rights, 16 busy, 32 stalled,
110 timed out, 75 more came than asked for.
"""

import array
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Condition
from typing import TypeVar

import usb.backend
import usb.core

from devicehub.simulator import StallError, UsbSimulator
from devicehub.transport.usb_descriptors import (
    ConfigurationDescriptor,
    DeviceDescriptor,
    EndpointDescriptor,
    InterfaceDescriptor,
    string_descriptor,
)

_STANDARD_IN = 0x80
_GET_STATUS = 0x00
_GET_DESCRIPTOR = 0x06
_STRING = 0x03
_LIBUSB_TIMEOUT = -7

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Plugged:
    """A device in a socket. `wired`: its plug is in. `holders`: which handle has claimed which interface."""

    simulator: UsbSimulator
    address: int
    ports: tuple[int, ...]
    accessible: bool
    present: bool = True
    wired: bool = True
    configuration: int = 0
    drivers: set[int] = field(default_factory=set)
    holders: dict[int, "Handle"] = field(default_factory=dict)
    halted: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Handle:
    """An open handle, as libusb_open gives it."""

    device: Plugged
    closed: bool = False


def _error(number: int, text: str) -> usb.core.USBError:
    return usb.core.USBError(text, None, number)


class _Descriptors(usb.backend.IBackend):  # type: ignore[misc] # pyusb has no type information
    """What libusb tells about devices without opening them."""

    def __init__(self, changed: Condition, devices: list[Plugged], number: int) -> None:
        self._changed = changed
        self._devices = devices
        self._number = number

    def enumerate_devices(self) -> Iterator[Plugged]:
        """All devices present now."""
        with self._changed:
            return iter(list(self._devices))

    def get_parent(self, dev: Plugged) -> None:
        """Hubs are not shown."""

    def get_device_descriptor(self, dev: Plugged) -> DeviceDescriptor:
        """The device descriptor with libusb's additions."""
        return DeviceDescriptor.of(dev.simulator.descriptor, self._number, dev.address, dev.ports)

    def get_configuration_descriptor(self, dev: Plugged, config: int) -> ConfigurationDescriptor:
        """There is one configuration. Raises `IndexError` for another, which is how pyusb finds the end."""
        if config:
            raise IndexError("one configuration")
        return ConfigurationDescriptor.of(dev.simulator.descriptor)

    def get_interface_descriptor(self, dev: Plugged, intf: int, alt: int, config: int) -> InterfaceDescriptor:
        """By index, not by number. Raises `IndexError` past the end."""
        del config
        return InterfaceDescriptor.of(dev.simulator.descriptor, intf, alt)

    def get_endpoint_descriptor(self, dev: Plugged, ep: int, intf: int, alt: int, config: int) -> EndpointDescriptor:
        """By index, not by address. Raises `IndexError` past the end."""
        del config
        return EndpointDescriptor.of(dev.simulator.descriptor, intf, alt, ep)


class _Handles(_Descriptors):
    """Opening, configuring and claiming."""

    def open_device(self, dev: Plugged) -> Handle:
        """Open. Fails with ENODEV or EACCES."""
        with self._changed:
            self._check(dev)
            if not dev.accessible:
                raise _error(errno.EACCES, "Access denied (insufficient permissions)")
            return Handle(dev)

    def close_device(self, dev_handle: Handle) -> None:
        """Close; what it had claimed is free."""
        with self._changed:
            dev_handle.closed = True
            holders = dev_handle.device.holders
            for number in [number for number, holder in holders.items() if holder is dev_handle]:
                del holders[number]

    def get_configuration(self, dev_handle: Handle) -> int:
        """The active configuration's value, 0 for none."""
        with self._changed:
            return self._device(dev_handle).configuration

    def set_configuration(self, dev_handle: Handle, config_value: int) -> None:
        """Fails with EBUSY while anybody holds an interface."""
        with self._changed:
            device = self._device(dev_handle)
            if device.holders or device.drivers:
                raise _error(errno.EBUSY, "Resource busy")
            device.configuration = config_value

    def claim_interface(self, dev_handle: Handle, intf: int) -> None:
        """Fails with EBUSY when another handle or a kernel driver has it."""
        with self._changed:
            device = self._device(dev_handle)
            if intf in device.drivers or device.holders.get(intf, dev_handle) is not dev_handle:
                raise _error(errno.EBUSY, "Resource busy")
            if intf not in {interface.number for interface in device.simulator.descriptor.interfaces}:
                raise _error(errno.ENOENT, "Entity not found")
            device.holders[intf] = dev_handle

    def release_interface(self, dev_handle: Handle, intf: int) -> None:
        """Fails with ENOENT when it was not claimed."""
        with self._changed:
            if self._device(dev_handle).holders.pop(intf, None) is None:
                raise _error(errno.ENOENT, "Entity not found")

    def is_kernel_driver_active(self, dev_handle: Handle, intf: int) -> bool:
        """Whether a kernel driver has the interface."""
        with self._changed:
            return intf in self._device(dev_handle).drivers

    def detach_kernel_driver(self, dev_handle: Handle, intf: int) -> None:
        """Unbind the kernel driver."""
        with self._changed:
            self._device(dev_handle).drivers.discard(intf)

    def attach_kernel_driver(self, dev_handle: Handle, intf: int) -> None:
        """Bind the kernel driver again. Fails with EBUSY while the interface is claimed."""
        with self._changed:
            device = self._device(dev_handle)
            if intf in device.holders:
                raise _error(errno.EBUSY, "Resource busy")
            device.drivers.add(intf)

    @staticmethod
    def _check(device: Plugged) -> None:
        if not device.present:
            raise _error(errno.ENODEV, "No such device (it may have been disconnected)")

    def _device(self, handle: Handle) -> Plugged:
        if handle.closed:
            raise _error(errno.EINVAL, "Invalid parameter")
        self._check(handle.device)
        return handle.device


class SimulatedBackend(_Handles):
    """Transfers: served by the simulators."""

    def set_interface_altsetting(self, dev_handle: Handle, intf: int, altsetting: int) -> None:
        """On the wire this is the standard request SET_INTERFACE; the device may stall it."""
        self._control_out(dev_handle, (0x01, 0x0B, altsetting, intf), b"")

    def bulk_write(self, dev_handle: Handle, ep: int, intf: int, data: "array.array[int]", timeout: int) -> int:
        """One transfer to the device."""
        del timeout
        with self._changed:
            self._held(dev_handle, intf)
            self._at(dev_handle, ep, lambda simulator: simulator.transfer_out(ep, data.tobytes()))
            self._changed.notify_all()
            return len(data)

    def bulk_read(self, dev_handle: Handle, ep: int, intf: int, buff: "array.array[int]", timeout: int) -> int:
        """One transfer from the device; fails with ETIMEDOUT when it has nothing for `timeout` ms (0: for ever)."""
        with self._changed:
            got: list[bytes] = []

            def arrived() -> bool:
                self._held(dev_handle, intf)
                data = self._at(dev_handle, ep, lambda simulator: simulator.transfer_in(ep, len(buff)))
                if data is not None:
                    got.append(data)
                return bool(got)

            if not self._changed.wait_for(arrived, timeout / 1000 if timeout else None):
                raise usb.core.USBTimeoutError("Operation timed out", _LIBUSB_TIMEOUT, errno.ETIMEDOUT)
        if len(got[0]) > len(buff):
            raise _error(errno.EOVERFLOW, "Overflow")
        buff[: len(got[0])] = array.array("B", got[0])
        return len(got[0])

    intr_write = bulk_write
    intr_read = bulk_read

    def ctrl_transfer(  # noqa: PLR0913, PLR0917 # pyusb's signature
        self,
        dev_handle: Handle,
        bmRequestType: int,  # noqa: N803 # pyusb's name
        bRequest: int,  # noqa: N803 # pyusb's name
        wValue: int,  # noqa: N803 # pyusb's name
        wIndex: int,  # noqa: N803 # pyusb's name
        data: "array.array[int]",
        timeout: int,
    ) -> int:
        """The status and string descriptors are answered from the description, everything else by the simulator."""
        del timeout
        setup = (bmRequestType, bRequest, wValue, wIndex)
        if not bmRequestType & 0x80:
            self._control_out(dev_handle, setup, data.tobytes())
            return len(data)
        with self._changed:
            device = self._reached(dev_handle)
            answer: bytes | None
            if (bmRequestType, bRequest, wValue >> 8) == (_STANDARD_IN, _GET_DESCRIPTOR, _STRING):
                answer = string_descriptor(device.simulator.descriptor, wValue & 0xFF)
            elif (bmRequestType, bRequest) == (_STANDARD_IN, _GET_STATUS):
                answer = bytes(2)
            else:
                size = len(data)
                answer = self._at(dev_handle, 0, lambda simulator: simulator.control_in(*setup, size))
            if answer is None:
                raise _error(errno.EPIPE, "Pipe error")
            self._changed.notify_all()
        answer = answer[: len(data)]
        data[: len(answer)] = array.array("B", answer)
        return len(answer)

    def clear_halt(self, dev_handle: Handle, ep: int) -> None:
        """Clear the halt condition of an endpoint."""
        with self._changed:
            self._device(dev_handle).halted.discard(ep)

    def _control_out(self, handle: Handle, setup: tuple[int, int, int, int], data: bytes) -> None:
        with self._changed:
            self._at(handle, 0, lambda simulator: simulator.control_out(*setup, data))
            self._changed.notify_all()

    def _held(self, handle: Handle, interface: int) -> None:
        if self._device(handle).holders.get(interface) is not handle:
            raise _error(errno.EIO, "Input/output error")

    def _reached(self, handle: Handle) -> Plugged:
        """The device at the other end of the wire. Fails with ENODEV once its plug is out, noticed or not."""
        device = self._device(handle)
        if not device.wired:
            raise _error(errno.ENODEV, "No such device (it may have been disconnected)")
        return device

    def _at(self, handle: Handle, endpoint: int, act: Callable[[UsbSimulator], Result]) -> Result:
        """Do something at an endpoint; a stall halts it (endpoint 0 recovers by itself)."""
        device = self._reached(handle)
        if endpoint in device.halted:
            raise _error(errno.EPIPE, "Pipe error")
        try:
            return act(device.simulator)
        except StallError:
            if endpoint:
                device.halted.add(endpoint)
            raise _error(errno.EPIPE, "Pipe error") from None
