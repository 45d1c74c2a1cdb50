"""Devices that libusb drives: the simulators as they are, and what the kernel asks of those of the HID class.

HID: "Device Class Definition for Human Interface Devices" 1.11, with the keyboard of its appendix B; "Point of Sale Usage
Tables" 1.02 for the barcode reader's report.
"""

from dataclasses import replace
from random import Random
from typing import cast

from devicehub.registry import load_simulator
from devicehub.simulator import Endpoint, Interface, UsbSimulator
from tests.vm.gadget import Gadget, Nature

_BARCODES = bytes.fromhex("058c 0902 a101 8502 0912 a102 1500 26ff00 7508 953f 09fe 8102 c0 c0")
_KEYS = bytes.fromhex("0501 0906 a101 0507 19e0 29e7 1500 2501 7501 9508 8102 9506 7508 2565 1900 2965 8100 c0")
_KEYBOARD = 0x82


def barcode_reader() -> UsbSimulator:
    """What a device file describes, with an interface of the HID class."""
    return cast(UsbSimulator, load_simulator("scanner.hid_pos")(Random(1)))


def usb_device(model: UsbSimulator) -> Gadget:
    """Whatever it is."""
    reports = {
        one.number: _KEYS if one.triple[2] == 1 else _BARCODES
        for one in model.descriptor.interfaces
        if one.triple[0] == 3
    }
    extras = {number: _hid(report) for number, report in reports.items()}
    return Gadget(model, Nature(extras=extras, reports=reports))


def _hid(report: bytes) -> bytes:
    return bytes([9, 0x21, 0x11, 0x01, 0, 1, 0x22]) + len(report).to_bytes(2, "little")


class WithKeyboard:
    """A device that is a keyboard as well, on an interface of its own. Nobody types."""

    def __init__(self, model: UsbSimulator) -> None:
        self._model = model
        self.do, self.advance = model.do, model.advance
        self.control_in, self.control_out, self.transfer_out = model.control_in, model.control_out, model.transfer_out
        last = max(one.number for one in model.descriptor.interfaces)
        keyboard = Interface(last + 1, 0, (3, 1, 1), (Endpoint(_KEYBOARD, "interrupt", 8),))
        self.descriptor = replace(model.descriptor, interfaces=(*model.descriptor.interfaces, keyboard))

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """What the device has; no key."""
        return None if endpoint == _KEYBOARD else self._model.transfer_in(endpoint, size)
