"""A Bluetooth controller with low energy only, on the kernel's `hci_vhci`, and the peripherals within its reach.

Bluetooth Core Specification 5.0, volume 2 part E (HCI), volume 3 part A (L2CAP). The kernel's device (Linux
`drivers/bluetooth/hci_vhci.c`) carries one HCI packet a time, behind its type.
"""

import asyncio
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from devicehub.simulator import BleSimulator
from tests.vm.attributes import Attributes, on_air

DEVICE: Final = Path("/dev/vhci")
ADDRESS: Final = bytes.fromhex("0100005e00aa")
_CREATE: Final = b"\xff\x00"
_COMMAND, _ACL, _EVENT = 0x01, 0x02, 0x04
_COMPLETE, _STATUS, _DISCONNECTED, _VERSION, _SENT, _LE = 0x0E, 0x0F, 0x05, 0x0C, 0x13, 0x3E
_UNKNOWN, _TIMED_OUT, _LOCAL_END = 0x01, 0x08, 0x16
_ATT, _SIGNALLING, _SECURITY = 4, 5, 6
_ADVERTISING: Final = 0.1
_ROOM: Final = 251

# Commands whose answer is "done" alone.
_PLAIN: Final = frozenset(
    {0x0C03, 0x0C01, 0x0C13, 0x2001, 0x2005, 0x2006, 0x2008, 0x2009, 0x200A, 0x200B, 0x2010, 0x2011, 0x2012}
)
_ANSWERS: Final = {
    0x1001: struct.pack("<BHBHH", 8, 0, 8, 0xFFFF, 0),  # version 4.2
    0x1002: bytes(64),
    0x1003: bytes([0, 0, 0, 0, 0x60, 0, 0, 0]),  # low energy, and nothing else
    0x1009: ADDRESS,
    0x0C14: b"test".ljust(248, b"\0"),
    0x2002: struct.pack("<HB", _ROOM, 8),
    0x2003: bytes(8),
    0x2007: b"\0",
    0x200F: b"\x08",
    0x2018: bytes(range(8)),
    0x201C: bytes.fromhex("ffffffffff030000"),
}


class Near:
    """A peripheral within reach. `address`: as it is written, a random static one."""

    def __init__(self, simulator: BleSimulator, address: str) -> None:
        self.simulator = simulator
        self.address = bytes.fromhex(address.replace(":", ""))[::-1]
        self.handle: int | None = None
        self.attributes = Attributes(simulator)
        self.pieces = b""

    def advertisement(self) -> bytes:
        """Flags and the first service."""
        uuid = on_air(next(iter(self.simulator.services)))
        return b"\x02\x01\x06" + bytes([len(uuid) + 1, 3 if len(uuid) == 2 else 7]) + uuid

    def name(self) -> bytes:
        """What it says when it is asked."""
        name = self.simulator.name.encode()[:29]
        return bytes([len(name) + 1, 9]) + name


class Controller:
    """Plugged in from `open` to `close`. `near` may be changed at any time, on its loop."""

    def __init__(self) -> None:
        self.near: list[Near] = []
        self._scanning = False
        self._since = 0.0
        self._next = 0x40
        self._acts: dict[int, Callable[[int, bytes], None]] = {
            0x200C: self._scan,
            0x200D: self._connect,
            0x200E: self._done,
            0x2016: self._features,
            0x041D: self._remote_version,
            0x0406: self._disconnect,
            0x2013: self._update,
            0x2022: self._data_length,
        }

    def open(self) -> None:
        """Plug it in. Raises `OSError`."""
        self._device = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
        os.write(self._device, _CREATE)
        asyncio.get_running_loop().add_reader(self._device, self._on_readable)

    def close(self) -> None:
        """Yank it."""
        asyncio.get_running_loop().remove_reader(self._device)
        os.close(self._device)

    def leave(self, near: Near) -> None:
        """A peripheral goes out of reach, or its battery is taken out."""
        self.near.remove(near)
        if near.handle is not None:
            self._part(near, _TIMED_OUT)

    def advance(self, dt: float) -> None:
        """Time passes: advertisements, and what the peripherals send of their own accord."""
        self._since += dt
        if self._scanning and self._since >= _ADVERTISING:
            self._since = 0.0
            for one in self.near:
                if one.handle is None:
                    self._report(one, 0, one.advertisement())
                    self._report(one, 4, one.name())
        for one in self.near:
            for value in one.attributes.sent(one.simulator.advance(dt)):
                self._send(one, _ATT, value)

    def _on_readable(self) -> None:
        packet = os.read(self._device, 4096)
        if packet[0] == _COMMAND:
            opcode, size = struct.unpack_from("<HB", packet, 1)
            self._on_command(opcode, packet[4 : 4 + size])
        elif packet[0] == _ACL:
            self._on_data(packet[1:])

    def _on_command(self, opcode: int, parameters: bytes) -> None:
        if opcode in self._acts:
            self._acts[opcode](opcode, parameters)
        elif opcode in _PLAIN:
            self._done(opcode, parameters)
        elif opcode in _ANSWERS:
            self._complete(opcode, b"\0" + _ANSWERS[opcode])
        else:
            self._complete(opcode, bytes([_UNKNOWN]))

    # Commands

    def _done(self, opcode: int, parameters: bytes) -> None:
        del parameters
        self._complete(opcode, b"\0")

    def _scan(self, opcode: int, parameters: bytes) -> None:
        self._scanning = bool(parameters[0])
        self._complete(opcode, b"\0")

    def _connect(self, opcode: int, parameters: bytes) -> None:
        self._accept(opcode)
        kind, address = parameters[5], parameters[6:12]
        for one in self.near:
            if (kind, one.address) == (1, address) and one.handle is None:
                one.handle, self._next = self._next, self._next + 1
                one.attributes, one.pieces = Attributes(one.simulator), b""
                body = struct.pack("<BHBB6sHHHB", 0, one.handle, 0, 1, address, 24, 0, 42, 0)
                self._event(_LE, b"\x01" + body)

    def _features(self, opcode: int, parameters: bytes) -> None:
        self._accept(opcode)
        self._event(_LE, b"\x04\0" + parameters[:2] + bytes(8))

    def _remote_version(self, opcode: int, parameters: bytes) -> None:
        self._accept(opcode)
        self._event(_VERSION, b"\0" + parameters[:2] + struct.pack("<BHH", 8, 0xFFFF, 0))

    def _disconnect(self, opcode: int, parameters: bytes) -> None:
        self._accept(opcode)
        one = self._connected(struct.unpack_from("<H", parameters)[0])
        if one is not None:
            self._part(one, _LOCAL_END)

    def _update(self, opcode: int, parameters: bytes) -> None:
        self._accept(opcode)
        self._event(_LE, b"\x03\0" + parameters[:2] + parameters[4:10])

    def _data_length(self, opcode: int, parameters: bytes) -> None:
        self._complete(opcode, b"\0" + parameters[:2])

    # Data

    def _on_data(self, packet: bytes) -> None:
        flags, size = struct.unpack_from("<HH", packet)
        handle = flags & 0x0FFF
        self._event(_SENT, struct.pack("<BHH", 1, handle, 1))
        one = self._connected(handle)
        if one is None:
            return
        one.pieces = (one.pieces if flags >> 12 & 3 == 1 else b"") + packet[4 : 4 + size]
        length, channel = struct.unpack_from("<HH", one.pieces.ljust(4, b"\0"))
        if len(one.pieces) >= 4 + length > 4:
            self._on_frame(one, channel, one.pieces[4 : 4 + length])
            one.pieces = b""

    def _on_frame(self, one: Near, channel: int, frame: bytes) -> None:
        if channel == _ATT:
            for answer in one.attributes.on_request(frame):
                self._send(one, _ATT, answer)
        elif channel == _SIGNALLING:
            self._send(one, _SIGNALLING, struct.pack("<BBHH", 1, frame[1], 2, 0))
        elif channel == _SECURITY and frame[0] == 1:
            self._send(one, _SECURITY, b"\x05\x05")  # no pairing

    def _send(self, one: Near, channel: int, frame: bytes) -> None:
        if one.handle is not None:
            body = struct.pack("<HH", len(frame), channel) + frame
            self._write(_ACL, struct.pack("<HH", one.handle | 0x2000, len(body)) + body)

    def _connected(self, handle: int) -> Near | None:
        return next((one for one in self.near if one.handle == handle), None)

    def _part(self, one: Near, why: int) -> None:
        self._event(_DISCONNECTED, struct.pack("<BHB", 0, one.handle, why))
        one.handle = None

    # Events

    def _report(self, one: Near, kind: int, data: bytes) -> None:
        head = struct.pack("<BBBB6sB", 2, 1, kind, 1, one.address, len(data))
        self._event(_LE, head + data + b"\xc4")  # -60 dBm

    def _accept(self, opcode: int) -> None:
        self._event(_STATUS, struct.pack("<BBH", 0, 1, opcode))

    def _complete(self, opcode: int, answer: bytes) -> None:
        self._event(_COMPLETE, struct.pack("<BH", 1, opcode) + answer)

    def _event(self, code: int, body: bytes) -> None:
        self._write(_EVENT, bytes([code, len(body)]) + body)

    def _write(self, kind: int, packet: bytes) -> None:
        os.write(self._device, bytes([kind]) + packet)
