"""Messages: which one a frame is, its fields, and the frame that fields make."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from devicehub.devicefile.condition import Condition, parse_condition
from devicehub.devicefile.expression import Expression, parse_expression
from devicehub.devicefile.fields import compile_fields
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.guards import Guard, guard
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import Layout, Values
from devicehub.devicefile.schema import DeviceFile
from devicehub.devicefile.schema_message import FieldTable, MessageTable
from devicehub.model.errors import ProtocolError, Reason

KNOWN_MOST = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of frame, compiled. `early`: its match looks at the header alone. `guard`: see there.

    `leads_on`: a request follows from it, or it says no.
    """

    name: str
    table: MessageTable
    match: Condition
    early: bool
    layout: Layout
    compute: tuple[tuple[str, Expression], ...]
    strict: bool
    guard: Guard | None
    leads_on: bool

    @property
    def unasked(self) -> bool:
        """It can be told from others by itself, so that it may come at any time."""
        return bool(self.match.tests)


class Codec:
    """Frames to named fields and back."""

    def __init__(self, file: DeviceFile, framing: Framing) -> None:
        self._framing = framing
        endian = file.frame.endian
        self._header, self._has_header = compile_fields(file.frame.header, endian), bool(file.frame.header)
        self._lengths = tuple(_lengths(file.frame.header))
        self._echoes = tuple((field.name, field.echo) for field in file.frame.header if field.echo)
        known = frozenset(name for field in file.frame.header for name in (field.name, *field.bits))
        self._messages = {table.name: _message(table, endian, known) for table in file.message}
        self._known: dict[tuple[object, ...], Message] = {}
        self._unasked = tuple(message for message in self._messages.values() if message.unasked)
        self._possible: dict[tuple[str, ...], tuple[Message, ...]] = {}
        self._matched = sorted({name for message in self._messages.values() for name in message.match.names})
        self._all_early = all(message.early for message in self._messages.values())

    @property
    def messages(self) -> Iterable[Message]:
        """All of them."""
        return self._messages.values()

    def whole(self, name: str, data: bytes, values: Values) -> tuple[Message, Values]:
        """A message from the data of its pieces, behind the `values` of the last one's. Raises `ProtocolError`."""
        message, found = self._messages[name], {**values}
        return self._finished(message, found, len(data) - message.layout.decode(data, 0, found))

    def content(self, name: str, values: Mapping[str, object]) -> bytes:
        """A message's fields without a header, as its pieces carry them. Raises `ValueError`."""
        out = bytearray()
        self._messages[name].layout.encode(dict(values), out)
        return bytes(out)

    def message(self, name: str) -> Message:
        """The message of that name."""
        return self._messages[name]

    def decode(self, frame: bytes, expected: tuple[str, ...], memory: Mapping[str, object]) -> tuple[Message, Values]:
        """Which message a frame is, and its fields. `expected`: the answers to the request in flight.

        `memory`: remembered fields, for conditions. Raises `ProtocolError`.
        """
        body = self._framing.body(frame)
        header: Values = {**memory}
        at = self._header.decode(body, 0, header) if self._has_header else 0
        for name, adjust in self._lengths:
            if header[name] != len(frame) - adjust:
                raise ProtocolError(Reason.LENGTH, f"{name} = {header[name]} in a frame of {len(frame)} bytes")
        if not self._all_early:
            return self._searched(body, at, header, expected)
        key = (expected, *map(header.get, self._matched))
        if (found := self._known.get(key)) is not None:
            return self._finished(found, header, len(body) - found.layout.decode(body, at, header))
        message, values = self._searched(body, at, header, expected)
        if len(self._known) < KNOWN_MOST:
            self._known[key] = message
        return message, values

    def _searched(self, body: bytes, at: int, header: Values, expected: tuple[str, ...]) -> tuple[Message, Values]:
        possible = self._possible.get(expected) or self._candidates(expected)
        fault: ProtocolError | None = None
        for message in possible:
            if not _may_be(message, body, at) or (message.early and not message.match(header)):
                continue
            values = dict(header)
            try:
                end = message.layout.decode(body, at, values)
            except ProtocolError as error:
                if message.early:
                    raise
                fault = error
                continue
            if message.early or message.match(values):
                return self._finished(message, values, len(body) - end)
        raise fault or self._why(possible, body, at, header)

    def _candidates(self, expected: tuple[str, ...]) -> tuple[Message, ...]:
        """What a frame may be: the answers to what was asked, then what is known by itself."""
        named = tuple(self._messages[name] for name in expected)
        found = (*named, *(message for message in self._unasked if message.name not in expected))
        self._possible[expected] = found
        return found

    @staticmethod
    def _why(possible: Iterable[Message], body: bytes, at: int, header: Values) -> ProtocolError:
        """Why a frame is none of the messages that it might be."""
        fault = ProtocolError(Reason.UNSUPPORTED, f"no message for {body[:8].hex(' ')}")
        for message in possible:
            if message.early and not message.match(header):
                continue
            try:
                message.layout.decode(body, at, dict(header))
            except ProtocolError as error:
                fault = error
                if message.early:
                    break
        return fault

    @staticmethod
    def _finished(message: Message, values: Values, left: int) -> tuple[Message, Values]:
        if left and message.strict:
            raise ProtocolError(Reason.LENGTH, f"{left} bytes behind the last field of {message.name}")
        for name, formula in message.compute:
            values[name] = formula(values)
        return message, values

    def check_echo(self, values: Values, sent: Mapping[str, float | str]) -> None:
        """Raises `ProtocolError` where a header does not repeat what was sent."""
        for name, source in self._echoes:
            if source in sent and values[name] != sent[source]:
                raise ProtocolError(Reason.SEQUENCE, f"{name} = {values[name]} instead of {sent[source]}")

    def encode(self, name: str, values: Mapping[str, object], sent: Mapping[str, float | str]) -> bytes:
        """The body of a message without its checks. Raises `ValueError`."""
        message = self._messages[name]
        echoed = {field: sent[source] for field, source in self._echoes if source in sent}
        whole: Values = {**message.match.exact, **echoed, **values}
        for field, _ in self._lengths:
            whole[field] = 0
        out = self._body(message, whole)
        for field, adjust in self._lengths:
            whole[field] = len(out) + self._framing.tail - adjust
        return bytes(self._body(message, whole) if self._lengths else out)

    def _body(self, message: Message, values: Values) -> bytearray:
        out = bytearray()
        self._header.encode(values, out)
        message.layout.encode(values, out)
        return out


def _lengths(header: Iterable[FieldTable]) -> Iterator[tuple[str, int]]:
    for field in header:
        if field.holds == "length":
            yield field.name, field.adjust


def _may_be(message: Message, body: bytes, at: int) -> bool:
    """Whether the first of its constants are there, as far as they stand at a fixed place."""
    return message.guard is None or body.startswith(message.guard[1], at + message.guard[0])


def _message(table: MessageTable, endian: str, header: frozenset[str]) -> Message:
    match = parse_condition(table.match)
    separator = None if table.separator is None else parse_bytes(table.separator)
    layout = compile_fields(table.fields, endian, separator)
    compute = tuple((name, parse_expression(text)) for name, text in table.compute.items())
    early, strict = match.names <= header, table.extra == "refuse"
    leads_on = bool(table.refused or table.acknowledge or table.then)
    return Message(table.name, table, match, early, layout, compute, strict, guard(table, endian), leads_on)
