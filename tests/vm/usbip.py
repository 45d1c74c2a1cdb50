"""The packets of USB/IP (Linux `Documentation/usb/usbip_protocol.rst`), of which a device side needs four.

All big-endian, each with a head of 48 bytes: command, sequence number, device id, direction, endpoint; then of
a submission flags, length, start frame, packets, interval and the setup stage, of an unlinking the number that it
unlinks.
"""

import struct
from dataclasses import dataclass

HEAD = 48
SUBMIT, UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
OK, STALLED, UNLINKED = 0, -32, -104

_BASIC = struct.Struct(">5I")
_SUBMIT = struct.Struct(">5I iiiii 8s")
_RET_SUBMIT = struct.Struct(">5I iiiii 8x")
_UNLINK = struct.Struct(">5I I 24x")
_RET_UNLINK = struct.Struct(">5I i 24x")
_SETUP = struct.Struct("<BBHHH")


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup stage."""

    request_type: int
    request: int
    value: int
    index: int
    length: int


@dataclass(frozen=True, slots=True)
class Submission:
    """The host wants a transfer. `endpoint`: with bit 7 set for one to the host; `packets`: of an isochronous one."""

    number: int
    endpoint: int
    length: int
    packets: int
    setup: Setup

    @property
    def to_host(self) -> bool:
        return bool(self.endpoint & 0x80)


@dataclass(frozen=True, slots=True)
class Unlinking:
    """The host takes a submission back."""

    number: int
    of: int


def parse(head: bytes) -> Submission | Unlinking:
    """One head. Raises `ValueError` for what no host sends."""
    command, number, _, direction, endpoint = _BASIC.unpack_from(head)
    if command == UNLINK:
        return Unlinking(number, _UNLINK.unpack(head)[5])
    if command != SUBMIT:
        raise ValueError(f"no command {command}")
    fields = _SUBMIT.unpack(head)
    setup = Setup(*_SETUP.unpack(fields[10]))
    packets = max(0, fields[8])
    return Submission(number, endpoint | (0x80 if direction else 0), fields[6], packets, setup)


def submitted(submission: Submission, status: int, data: bytes = b"", taken: int = 0) -> bytes:
    """The end of a submission: `data` to the host, or how many bytes were `taken` from it."""
    length = len(data) if submission.to_host else taken
    return _RET_SUBMIT.pack(RET_SUBMIT, submission.number, 0, 0, 0, status, length, 0, 0, 0) + data


def unlinked(unlinking: Unlinking, status: int) -> bytes:
    """The end of an unlinking: `UNLINKED`, or `OK` when what it meant was over."""
    return _RET_UNLINK.pack(RET_UNLINK, unlinking.number, 0, 0, 0, status)
