"""What every USB device answers by itself (USB 2.0, chapter 9), over a model that knows the rest.

The model is a `UsbSimulator`, the same that the simulated bus of the tests in process serves.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from devicehub.simulator import Interface, StallError, UsbSimulator
from devicehub.transport.usb_descriptors import string_descriptor
from tests.vm.usbip import Setup

FULL, HIGH = 2, 3
_KINDS = {"control": 0, "isochronous": 1, "bulk": 2, "interrupt": 3}
_DEVICE, _CONFIGURATION, _STRING = 1, 2, 3
_CLEAR_FEATURE, _GET_DESCRIPTOR, _SET_CONFIGURATION = 1, 6, 9


@dataclass(frozen=True, slots=True)
class Nature:
    """What a model does not tell. `extras`: class descriptors by (interface, descriptor type to ask for it by; 0 for those
    that stand in the configuration only)."""

    speed: int = HIGH
    triple: tuple[int, int, int] = (0, 0, 0)
    extras: Mapping[int, bytes] = field(default_factory=dict)
    reports: Mapping[int, bytes] = field(default_factory=dict)


class Gadget:
    """A whole device. Not thread-safe."""

    def __init__(self, model: UsbSimulator, nature: Nature | None = None) -> None:
        self.model = model
        self.nature = nature or Nature()
        self._halted: set[int] = set()
        self._configuration = 0

    def control(self, setup: Setup, data: bytes) -> bytes:
        """A control transfer. Raises `StallError`."""
        if setup.request_type & 0x60 == 0 and (answer := self._standard(setup)) is not None:
            return answer[: setup.length]
        words = (setup.request_type, setup.request, setup.value, setup.index)
        if setup.request_type & 0x80:
            return self.model.control_in(*words, setup.length)[: setup.length]
        self.model.control_out(*words, data)
        return b""

    def give(self, endpoint: int, size: int) -> bytes | None:
        """A transfer to the host, None when there is nothing yet. Raises `StallError`."""
        self._check(endpoint)
        try:
            return self.model.transfer_in(endpoint, size)
        except StallError:
            self._halted.add(endpoint)
            raise

    def take(self, endpoint: int, data: bytes) -> None:
        """A transfer from the host. Raises `StallError`."""
        self._check(endpoint)
        try:
            self.model.transfer_out(endpoint, data)
        except StallError:
            self._halted.add(endpoint)
            raise

    def _check(self, endpoint: int) -> None:
        if endpoint in self._halted:
            raise StallError

    def _standard(self, setup: Setup) -> bytes | None:
        """The answer to a standard request; None for one that the model must know."""
        recipient = setup.request_type & 0x1F
        if setup.request == _GET_DESCRIPTOR and recipient == 0:
            return self._descriptor(setup.value >> 8, setup.value & 0xFF)
        if setup.request == _GET_DESCRIPTOR and setup.index in self.nature.reports:
            return self.nature.reports[setup.index]
        if setup.request == _SET_CONFIGURATION:
            self._configuration = setup.value
            return b""
        if setup.request == _CLEAR_FEATURE and recipient == 2:
            self._halted.discard(setup.index)
            return b""
        if setup.request_type == 0x80:
            return bytes([self._configuration]) if setup.request == 8 else bytes(2)
        return None

    def _descriptor(self, kind: int, index: int) -> bytes:
        if kind == _DEVICE:
            return self._device()
        if kind == _CONFIGURATION and index == 0:
            return self._whole_configuration()
        text = string_descriptor(self.model.descriptor, index) if kind == _STRING else None
        if text is None:
            raise StallError
        return text

    def _device(self) -> bytes:
        one = self.model.descriptor
        strings = (1 if one.manufacturer else 0, 2 if one.title else 0, 3 if one.serial else 0)
        head = struct.pack("<BBHBBBB", 18, 1, 0x0200, *self.nature.triple, 64)
        return head + struct.pack("<HHHBBBB", one.vendor, one.product, one.release, *strings, 1)

    def _whole_configuration(self) -> bytes:
        one = self.model.descriptor
        ordered = sorted(one.interfaces, key=lambda interface: (interface.number, interface.alternate))
        body = b"".join(self._interface(interface) for interface in ordered)
        count = len(list(groupby(ordered, key=lambda interface: interface.number)))
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), count, one.configuration, 0, 0x80, 250) + body

    def _interface(self, one: Interface) -> bytes:
        head = bytes([9, 4, one.number, one.alternate, len(one.endpoints), *one.triple, 0])
        extra = self.nature.extras.get(one.number, b"") if one.alternate == 0 else b""
        ends = b"".join(
            struct.pack("<BBBBHB", 7, 5, end.address, _KINDS[end.kind], end.size, 4 if end.kind == "interrupt" else 0)
            for end in one.endpoints
        )
        return head + extra + ends
