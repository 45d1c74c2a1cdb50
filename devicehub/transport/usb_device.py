"""One USB device held through pyusb: claimed, used by one thread, given back.

Nothing here knows asyncio; every call blocks for at most its time-out and is made by one thread.
"""

import contextlib
import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

import usb.backend
import usb.core
import usb.util

from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import LinkError, LinkLostError
from devicehub.transport.link import LinkIdentity
from devicehub.transport.usb_find import UsbMatch, device_path, find, link_error
from devicehub.wire.packet import Packet, usb_port

CONTROL_TIMEOUT_MS = 1000
WRITE_ATTEMPTS = 25
STALL_LIMIT = 3
SET_INTERFACE = (0x01, 0x0B)
GET_STATUS = (0x80, 0x00, 0, 0, 2)
STATUS_TIMEOUT_MS = 250

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Transfer:
    """One request of a protocol, parsed. `numbers`: what stands after the kind in the packet's port."""

    kind: str
    numbers: tuple[int, ...]
    packet: Packet


def parse_transfer(packet: Packet) -> Transfer:
    """Read the port of a USB packet (see `devicehub.wire.packet`). Raises `ValueError` for a malformed one."""
    kind, *words = packet.port.split(":")
    wanted = {"in": (2,), "out": (1,), "halt": (1,), "ctl": (4, 5)}
    if len(words) not in wanted.get(kind, ()):
        raise ValueError(f"not a USB transfer: port '{packet.port}'")
    sized = (kind == "in" and len(words) == 2) or len(words) == 5
    hexadecimal = words[:-1] if sized else words
    numbers = [int(word, 16) for word in hexadecimal] + ([int(words[-1])] if sized else [])
    return Transfer(kind, tuple(numbers), packet)


class ClaimedDevice:
    """A device, its link's interfaces claimed. Every method may raise `LinkLostError`; `release` raises nothing."""

    def __init__(self, device: usb.core.Device, serial: str) -> None:
        name = UsbId(device.idVendor, device.idProduct)
        self.identity = LinkIdentity(usb=str(name), serial=serial, path=device_path(device))
        self._device = device
        self._claimed: list[int] = []
        self._detached: list[int] = []
        self._stalls: dict[int, int] = {}

    @classmethod
    def open(cls, link: UsbLink, match: UsbMatch, backend: usb.backend.IBackend | None) -> Self:
        """Find, claim and ask a device.

        Raises `LinkMissingError`, `LinkPermissionError`, `LinkBusyError`, `LinkLostError`, `LinkError`.
        """
        held = cls(*find(link, match, backend))
        try:
            held._claim(link)
            held._ask()
        except (usb.core.USBError, ValueError) as error:
            held.release()
            what = f"USB {held.identity.usb} at {held.identity.path}"
            if isinstance(error, usb.core.USBError):
                raise link_error(error, what) from error
            raise LinkError(f"{what}: {error}") from error
        return held

    def _claim(self, link: UsbLink) -> None:
        for number, _ in link.interfaces:
            with contextlib.suppress(NotImplementedError):  # only Linux binds kernel drivers that can be detached
                if self._device.is_kernel_driver_active(number):
                    self._device.detach_kernel_driver(number)
                    self._detached.append(number)
        # Vendor requests pass without a claim (Linux drivers/usb/core/devio.c, check_ctrlrecip; pyusb makes none for
        # them), and a device that a kernel driver holds takes no other configuration.
        if link.interfaces and self._configuration() != link.configuration:
            self._device.set_configuration(link.configuration)
        for number, alternate in link.interfaces:
            usb.util.claim_interface(self._device, number)
            self._claimed.append(number)
            if alternate:
                self._device.set_interface_altsetting(number, alternate)

    def _ask(self) -> None:
        """Have it answer: the kernel lists, opens and claims a device for a while after it was yanked.

        The status (USB 2.0, 9.4.5) is what every device tells. One that refuses or says nothing is there.
        """
        try:
            self._device.ctrl_transfer(*GET_STATUS, STATUS_TIMEOUT_MS)
        except usb.core.USBError as error:
            if error.errno not in {errno.EPIPE, errno.ETIMEDOUT}:
                raise

    def _configuration(self) -> int:
        try:
            return int(self._device.get_active_configuration().bConfigurationValue)
        except usb.core.USBError as error:
            if error.errno is None:  # pyusb's own "Configuration not set"
                return 0
            raise

    def release(self) -> None:
        """Give the interfaces back, to the kernel drivers that had them, and close the handle."""
        for number in self._claimed:
            with contextlib.suppress(usb.core.USBError):  # fails, of course, when the device is gone
                usb.util.release_interface(self._device, number)
        for number in self._detached:
            with contextlib.suppress(usb.core.USBError, NotImplementedError):  # same
                self._device.attach_kernel_driver(number)
        with contextlib.suppress(usb.core.USBError):  # same
            usb.util.dispose_resources(self._device)

    def look(self) -> None:
        """Whether it is still there, without a transfer to it: who drives an interface, the kernel knows by itself."""
        try:
            self._device.is_kernel_driver_active(self._claimed[0] if self._claimed else 0)
        except NotImplementedError:  # where kernel drivers cannot be detached; a transfer tells there
            return
        except usb.core.USBError as error:
            raise link_error(error, f"USB {self.identity.usb} at {self.identity.path}") from error

    def read(self, endpoint: int, size: int, timeout: float) -> Packet | None:
        """One transfer of at most `size` bytes from an IN endpoint; None when nothing came in `timeout` seconds."""
        milliseconds = max(int(timeout * 1000), 1)
        data = self._attempt(lambda: bytes(self._device.read(endpoint, size, milliseconds)), endpoint)
        return None if data is None else Packet(data, usb_port(endpoint))

    def perform(self, transfer: Transfer, timeout: float) -> Packet | None:
        """Any transfer but a read. The answer, if it has one."""
        if transfer.kind == "ctl":
            return self._control(transfer)
        endpoint = transfer.numbers[0]
        if transfer.kind == "halt":
            self._clear_halt(endpoint)
        else:
            self._write(endpoint, transfer.packet.data, max(int(timeout * 1000), 1))
        return None

    def _control(self, transfer: Transfer) -> Packet | None:
        request_type, request, value, index = transfer.numbers[:4]
        try:
            if (request_type, request) == SET_INTERFACE and self._has_setting(index, value, transfer.packet.data):
                # libusb must know, or it and the kernel would use the old setting's endpoints.
                self._device.set_interface_altsetting(index, value)
                return None
            stage = transfer.numbers[4] if len(transfer.numbers) == 5 else transfer.packet.data
            answer = self._device.ctrl_transfer(request_type, request, value, index, stage, CONTROL_TIMEOUT_MS)
        except usb.core.USBError as error:
            if error.errno == errno.EPIPE:
                return Packet(b"", transfer.packet.port.replace("ctl:", "stall:", 1))
            raise link_error(error, f"control transfer {transfer.packet.port}") from error
        return Packet(answer.tobytes(), transfer.packet.port) if len(transfer.numbers) == 5 else None

    def _has_setting(self, interface: int, alternate: int, data: bytes) -> bool:
        """Some devices know the request with data, or for settings without a descriptor: theirs goes out as it is."""
        configuration = self._device.get_active_configuration()
        wanted = {"bInterfaceNumber": interface, "bAlternateSetting": alternate}
        return not data and usb.util.find_descriptor(configuration, **wanted) is not None

    def _write(self, endpoint: int, data: bytes, timeout: int) -> None:
        for _ in range(WRITE_ATTEMPTS):
            sent = self._attempt(partial(self._send, endpoint, data, timeout), endpoint)
            data = data[sent or 0 :]
            if sent is not None and not data:
                return
        raise LinkLostError(f"endpoint {endpoint:02x} takes no data")

    def _send(self, endpoint: int, data: bytes, timeout: int) -> int:
        return int(self._device.write(endpoint, data, timeout))

    def _attempt(self, act: Callable[[], Result], endpoint: int) -> Result | None:
        """Do a transfer. None after a time-out or a stall, which is cleared; anything else ends the link."""
        try:
            result = act()
        except usb.core.USBError as error:
            if error.errno == errno.EPIPE:
                self._unstall(endpoint)
            elif error.errno not in {errno.ETIMEDOUT, errno.EINTR}:
                raise link_error(error, f"USB {self.identity.usb} at {self.identity.path}") from error
            return None
        except ValueError as error:
            raise LinkLostError(f"USB {self.identity.usb}: {error}") from error
        self._stalls.pop(endpoint, None)
        return result

    def _unstall(self, endpoint: int) -> None:
        self._stalls[endpoint] = self._stalls.get(endpoint, 0) + 1
        if self._stalls[endpoint] > STALL_LIMIT:
            raise LinkLostError(f"endpoint {endpoint:02x} stalls again and again")
        self._clear_halt(endpoint)

    def _clear_halt(self, endpoint: int) -> None:
        try:
            self._device.clear_halt(endpoint)
        except usb.core.USBError as error:
            raise link_error(error, f"clearing endpoint {endpoint:02x}") from error
