"""Devices that libusb drives: the simulators as they are, and what the kernel asks of those of the HID class.

HID: "Device Class Definition for Human Interface Devices" 1.11; "Point of Sale Usage Tables" 1.02 for the barcode
reader's report.
"""

from devicehub.simulator import UsbSimulator
from tests.vm.gadget import Gadget, Nature

_BARCODES = bytes.fromhex("058c 0902 a101 8502 0912 a102 1500 26ff00 7508 953f 09fe 8102 c0 c0")


def usb_device(model: UsbSimulator) -> Gadget:
    """Whatever it is."""
    first = model.descriptor.interfaces[0]
    if first.triple[0] != 3:
        return Gadget(model)
    hid = bytes([9, 0x21, 0x11, 0x01, 0, 1, 0x22]) + len(_BARCODES).to_bytes(2, "little")
    return Gadget(model, Nature(extras={first.number: hid}, reports={first.number: _BARCODES}))
