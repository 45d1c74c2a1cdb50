"""The attributes of a simulated peripheral, as its attribute server answers for them.

Bluetooth Core Specification 5.0, volume 3: part F (ATT), part G (GATT). Little-endian.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from devicehub.simulator import BleSimulator

MTU: Final = 185
_SERVICE, _CHARACTERISTIC, _SUBSCRIPTION, _NAME = (struct.pack("<H", one) for one in (0x2800, 0x2803, 0x2902, 0x2A00))
_GENERIC_ACCESS: Final = struct.pack("<H", 0x1800)
_PROPERTIES: Final = {"read": 0x02, "write-without-response": 0x04, "write": 0x08, "notify": 0x10, "indicate": 0x20}
_SHORT: Final = "-0000-1000-8000-00805f9b34fb"
_INVALID_HANDLE, _UNSUPPORTED, _NOT_FOUND = 0x01, 0x06, 0x0A
_ERROR, _MTU_REQUEST, _INFORMATION, _BY_TYPE, _READ, _READ_BLOB, _BY_GROUP = 0x01, 0x02, 0x04, 0x08, 0x0A, 0x0C, 0x10
_WRITE, _WRITE_COMMAND, _NOTIFICATION, _INDICATION, _CONFIRMATION = 0x12, 0x52, 0x1B, 0x1D, 0x1E


@dataclass(slots=True)
class Attribute:
    """One row: its type and value as on the air. `last`: of a service, the handle that its group ends with.

    `uuid`: of the characteristic whose value or subscription it is.
    """

    kind: bytes
    value: bytes = b""
    last: int = 0
    uuid: str = ""


class _RefusedError(Exception):
    def __init__(self, code: int, handle: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.handle = handle


def on_air(uuid: str) -> bytes:
    """A UUID with 16 bits where it is one of the standard's, else with 128."""
    if uuid.endswith(_SHORT) and uuid.startswith("0000"):
        return struct.pack("<H", int(uuid[4:8], 16))
    return UUID(uuid).bytes[::-1]


def _unsupported(rest: bytes) -> bytes:
    del rest
    raise _RefusedError(_UNSUPPORTED)


class Attributes:
    """The attribute server of one connection. Handles begin with 1; every answer fits the client's MTU."""

    def __init__(self, simulator: BleSimulator) -> None:
        self._simulator = simulator
        self._table: list[Attribute] = []
        self._mtu = 23
        self._subscribed: dict[str, int] = {}
        self._acts: dict[int, Callable[[bytes], bytes]] = {
            _MTU_REQUEST: self._exchange,
            _INFORMATION: self._information,
            _BY_TYPE: self._by_type,
            _BY_GROUP: self._by_group,
            _READ: self._read,
            _READ_BLOB: self._read_blob,
        }
        self._add_service(_GENERIC_ACCESS, [(_NAME, "", ("read",), simulator.name.encode())])
        for service, characteristics in simulator.services.items():
            rows = [(on_air(uuid), uuid, properties, b"") for uuid, properties in characteristics]
            self._add_service(on_air(service), rows)

    def on_request(self, request: bytes) -> list[bytes]:
        """What the server says to it: at most one answer, and what the device sends on it."""
        code, rest = request[0], request[1:]
        if code == _CONFIRMATION:
            return []
        try:
            if code in {_WRITE, _WRITE_COMMAND}:
                return self._written(code, struct.unpack_from("<H", rest)[0], rest[2:])
            return [self._acts.get(code, _unsupported)(rest)[: self._mtu]]
        except _RefusedError as refused:
            return [struct.pack("<BBHB", _ERROR, code, refused.handle, refused.code)]

    def sent(self, values: Iterable[tuple[str, bytes]]) -> list[bytes]:
        """What goes out of that: the values of characteristics that are subscribed to."""
        out = []
        for uuid, value in values:
            how = self._subscribed.get(uuid, 0)
            if how:
                code = _NOTIFICATION if how == 1 else _INDICATION
                out.append(struct.pack("<BH", code, self._handle_of(uuid)) + value[: self._mtu - 3])
        return out

    def _add_service(self, uuid: bytes, rows: Sequence[tuple[bytes, str, tuple[str, ...], bytes]]) -> None:
        head = Attribute(_SERVICE, uuid)
        self._table.append(head)
        for kind, name, words, value in rows:
            properties = sum(_PROPERTIES[word] for word in words)
            handle = len(self._table) + 2
            self._table.append(Attribute(_CHARACTERISTIC, struct.pack("<BH", properties, handle) + kind))
            self._table.append(Attribute(kind, value, uuid=name))
            if {"notify", "indicate"} & set(words):
                self._table.append(Attribute(_SUBSCRIPTION, bytes(2), uuid=name))
        head.last = len(self._table)

    def _handle_of(self, uuid: str) -> int:
        rows = enumerate(self._table, 1)
        return next(handle for handle, one in rows if one.uuid == uuid and one.kind != _SUBSCRIPTION)

    def _exchange(self, rest: bytes) -> bytes:
        self._mtu = max(23, min(MTU, struct.unpack("<H", rest)[0]))
        return struct.pack("<BH", _MTU_REQUEST + 1, MTU)

    def _range(self, rest: bytes) -> list[tuple[int, Attribute]]:
        first, last = struct.unpack_from("<HH", rest)
        rows = [(handle, one) for handle, one in enumerate(self._table, 1) if first <= handle <= last]
        if not rows:
            raise _RefusedError(_NOT_FOUND, first)
        return rows

    def _found(self, rest: bytes) -> list[tuple[int, Attribute]]:
        """The rows of a range that are of the type that is asked for, as many as are of one size and fit."""
        rows = [(handle, one) for handle, one in self._range(rest) if one.kind == rest[4:]]
        if not rows:
            raise _RefusedError(_NOT_FOUND, struct.unpack_from("<H", rest)[0])
        alike = []
        for row in rows:
            if len(row[1].value) != len(rows[0][1].value):
                break
            alike.append(row)
        return alike

    def _by_group(self, rest: bytes) -> bytes:
        rows = self._found(rest)
        size = 4 + len(rows[0][1].value)
        lines = [struct.pack("<HH", handle, one.last) + one.value for handle, one in rows]
        return bytes([_BY_GROUP + 1, size]) + b"".join(lines[: (self._mtu - 2) // size])

    def _by_type(self, rest: bytes) -> bytes:
        rows = self._found(rest)
        size = 2 + len(rows[0][1].value)
        lines = [struct.pack("<H", handle) + one.value for handle, one in rows]
        return bytes([_BY_TYPE + 1, size]) + b"".join(lines[: (self._mtu - 2) // size])

    def _information(self, rest: bytes) -> bytes:
        rows = self._range(rest)
        size = len(rows[0][1].kind)
        lines = []
        for handle, one in rows:
            if len(one.kind) != size:
                break
            lines.append(struct.pack("<H", handle) + one.kind)
        return bytes([_INFORMATION + 1, 1 if size == 2 else 2]) + b"".join(lines[: (self._mtu - 2) // (size + 2)])

    def _row(self, handle: int) -> Attribute:
        if not 1 <= handle <= len(self._table):
            raise _RefusedError(_INVALID_HANDLE, handle)
        return self._table[handle - 1]

    def _read(self, rest: bytes) -> bytes:
        return bytes([_READ + 1]) + self._row(struct.unpack("<H", rest)[0]).value

    def _read_blob(self, rest: bytes) -> bytes:
        handle, offset = struct.unpack("<HH", rest)
        return bytes([_READ_BLOB + 1]) + self._row(handle).value[offset:]

    def _written(self, code: int, handle: int, value: bytes) -> list[bytes]:
        row = self._row(handle)
        answer = [bytes([_WRITE + 1])] if code == _WRITE else []
        if row.kind == _SUBSCRIPTION:
            row.value = value
            self._subscribed[row.uuid] = struct.unpack("<H", value)[0]
            return answer
        return answer + self.sent(self._simulator.on_write(row.uuid, value))
