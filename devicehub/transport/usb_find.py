"""Which of the USB devices that pyusb lists is meant, without guessing; foreign errors become ours."""

import errno
from dataclasses import dataclass

import usb.backend
import usb.core
import usb.util

from devicehub.driver import UsbLink
from devicehub.model.device import UsbId
from devicehub.model.errors import (
    LinkBusyError,
    LinkError,
    LinkLostError,
    LinkMissingError,
    LinkPermissionError,
)


@dataclass(frozen=True, slots=True)
class UsbMatch:
    """Which of several devices is meant. Empty fields match any.

    `path`: `BUS-PORT.PORT` as in sysfs ("1-2.3"), or `BUS:ADDRESS` ("1:7").
    """

    id: UsbId | None = None
    serial: str = ""
    path: str = ""


def link_error(error: usb.core.USBError, what: str) -> LinkError:
    """Our error for one of pyusb's. `what` names the device and what was being done."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return LinkPermissionError(
            f"{what}: this process may not open it; install the udev rules packaging/60-devicehub.rules, "
            "as their first lines say, and plug the device in again"
        )
    if error.errno == errno.EBUSY:
        return LinkBusyError(f"{what}: another program or kernel driver holds it")
    return LinkLostError(f"{what}: {error.strerror or error}")


def _candidates(link: UsbLink, match: UsbMatch, backend: usb.backend.IBackend | None) -> list[usb.core.Device]:
    ids = {(id_.vendor, id_.product) for id_ in ((match.id,) if match.id else link.ids)}
    return [device for device in listed(backend) if (device.idVendor, device.idProduct) in ids]


def listed(backend: usb.backend.IBackend | None) -> list[usb.core.Device]:
    """Every device on the bus, none of them opened. Raises `LinkError`."""
    try:
        return list(usb.core.find(find_all=True, backend=backend))
    except usb.core.NoBackendError:
        raise LinkError(
            "no libusb on this system: install the package libusb-1.0-0 (Debian, Ubuntu) or libusb1 (Fedora, RHEL)"
        ) from None
    except usb.core.USBError as error:
        raise link_error(error, "listing USB devices") from error


def device_path(device: usb.core.Device) -> str:
    """Where a device is plugged in: "1-2.3", or "1:7" (bus and address) when its ports are not known."""
    ports = ".".join(str(port) for port in device.port_numbers or ())
    return f"{device.bus}-{ports}" if ports else f"{device.bus}:{device.address}"


def has_path(device: usb.core.Device, path: str) -> bool:
    """Whether a device is at `UsbMatch.path`."""
    return path in {"", device_path(device), f"{device.bus}:{device.address}"}


def _serial(device: usb.core.Device) -> str:
    if not device.iSerialNumber:
        return ""
    try:
        languages = usb.util.get_langids(device)
        return str(usb.util.get_string(device, device.iSerialNumber, languages[0])) if languages else ""
    except (ValueError, IndexError):  # a string descriptor that is empty or not UTF-16: the device has no usable serial
        return ""


def find(link: UsbLink, match: UsbMatch, backend: usb.backend.IBackend | None) -> tuple[usb.core.Device, str]:
    """The one device that matches, and its serial number. Raises `LinkError` when there is none or a choice."""
    matching: list[tuple[usb.core.Device, str]] = []
    unreadable: LinkError | None = None
    wanted = ", ".join(str(id_) for id_ in ((match.id,) if match.id else link.ids))
    for device in _candidates(link, match, backend):
        if not has_path(device, match.path):
            continue
        try:
            serial = _serial(device)
        except usb.core.USBError as error:
            unreadable = link_error(error, f"USB {wanted} at {device_path(device)}")
            usb.util.dispose_resources(device)
            continue
        if match.serial in {"", serial}:
            matching.append((device, serial))
        else:
            usb.util.dispose_resources(device)
    if len(matching) == 1:
        return matching[0]
    for device, _ in matching:
        usb.util.dispose_resources(device)
    if matching:
        places = ", ".join(f"{device_path(device)} (serial '{serial}')" for device, serial in matching)
        raise LinkError(f"{len(matching)} devices match USB {wanted}: {places}; say which by serial or path")
    raise unreadable or LinkMissingError(f"no USB device {wanted}" + (f" '{match.serial}'" if match.serial else ""))
