"""Messages: which one a frame is, its fields, and the frame that fields make."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from devicehub.devicefile.condition import Condition, parse_condition
from devicehub.devicefile.expression import Expression, parse_expression
from devicehub.devicefile.fields import compile_fields
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.guards import Guard, guard
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import Layout, Read, Values
from devicehub.devicefile.schema import DeviceFile
from devicehub.devicefile.schema_message import FieldTable, MessageTable, PieceTable
from devicehub.model.errors import ProtocolError, Reason

KNOWN_MOST = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of frame, compiled: what of its table is looked at for every frame is at hand.

    `early`: its match looks at the header alone, `tested`: at something of it. `guard`: see there. `leads_on`: a
    request follows from it, or it says no. `read`: its layout.
    """

    name: str
    table: MessageTable
    match: Condition
    early: bool
    tested: bool
    layout: Layout
    compute: tuple[tuple[str, Expression], ...]
    strict: bool
    guard: Guard | None
    piece: PieceTable | None
    refused: str
    acknowledge: str | None
    then: tuple[str, ...]
    leads_on: bool
    read: Read

    @property
    def unasked(self) -> bool:
        """It can be told from others by itself, so that it may come at any time."""
        return bool(self.match.tests)


class Codec:
    """Frames to named fields and back."""

    def __init__(self, file: DeviceFile, framing: Framing) -> None:
        self._framing = framing
        endian = file.frame.endian
        self._header = compile_fields(file.frame.header, endian)
        self._read_header = self._header.read if file.frame.header else None
        self._lengths = tuple(_lengths(file.frame.header))
        self._echoes = tuple((field.name, field.echo) for field in file.frame.header if field.echo)
        known = frozenset(name for field in file.frame.header for name in (field.name, *field.bits))
        self._messages = {table.name: _message(table, endian, known) for table in file.message}
        self._known: dict[tuple[object, ...], Message] = {}
        self._unasked = tuple(message for message in self._messages.values() if message.unasked)
        self._possible: dict[tuple[str, ...], tuple[tuple[Guard | None, tuple[Message, ...]], ...]] = {}
        self._all_early = all(message.early for message in self._messages.values())
        matched = sorted({name for message in self._messages.values() for name in message.match.names})
        sure = all(field.when is None and not field.optional for field in file.frame.header)
        self._matched = _said(matched, sure=sure and self._all_early)

    @property
    def messages(self) -> Iterable[Message]:
        """All of them."""
        return self._messages.values()

    def whole(self, name: str, data: bytes, values: Values) -> tuple[Message, Values]:
        """A message from the data of its pieces, behind the `values` of the last one's. Raises `ProtocolError`."""
        message, found = self._messages[name], {**values}
        return self._finished(message, found, len(data) - message.read(data, 0, found))

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
        body = self._framing.body(frame) if self._framing.tail else frame
        header: Values = {**memory}
        at = 0 if self._read_header is None else self._read_header(body, 0, header)
        for name, adjust in self._lengths:
            if header[name] != len(frame) - adjust:
                raise ProtocolError(Reason.LENGTH, f"{name} = {header[name]} in a frame of {len(frame)} bytes")
        if not self._all_early:
            return self._searched(body, at, header, expected)
        key = (expected, self._matched(header))
        if (found := self._known.get(key)) is not None:
            return self._finished(found, header, len(body) - found.read(body, at, header))
        message, values = self._searched(body, at, header, expected)
        if len(self._known) < KNOWN_MOST:
            self._known[key] = message
        return message, values

    def _searched(self, body: bytes, at: int, header: Values, expected: tuple[str, ...]) -> tuple[Message, Values]:
        fault: ProtocolError | None = None
        for constants, messages in self._possible.get(expected) or self._grouped(expected):
            if constants is not None and not body.startswith(constants[1], at + constants[0]):
                continue
            for message in messages:
                if message.tested and not message.match(header):
                    continue
                values = header if message.early else {**header}
                try:
                    end = message.read(body, at, values)
                except ProtocolError as error:
                    if message.early:
                        raise
                    fault = error
                    continue
                if message.early or message.match(values):
                    return self._finished(message, values, len(body) - end)
        raise fault or self._why(self._candidates(expected), body, at, header)

    def _grouped(self, expected: tuple[str, ...]) -> tuple[tuple[Guard | None, tuple[Message, ...]], ...]:
        """The candidates in their order; those with the same guard are asked for it once."""
        found = groupby(self._candidates(expected), lambda message: message.guard)
        self._possible[expected] = tuple((constants, tuple(messages)) for constants, messages in found)
        return self._possible[expected]

    def _candidates(self, expected: tuple[str, ...]) -> tuple[Message, ...]:
        """What a frame may be: the answers to what was asked, then what is known by itself."""
        named = tuple(self._messages[name] for name in expected)
        return (*named, *(message for message in self._unasked if message.name not in expected))

    @staticmethod
    def _why(possible: Iterable[Message], body: bytes, at: int, header: Values) -> ProtocolError:
        """Why a frame is none of the messages that it might be."""
        fault = ProtocolError(Reason.UNSUPPORTED, f"no message for {body[:8].hex(' ')}")
        for message in possible:
            if message.tested and not message.match(header):
                continue
            try:
                message.read(body, at, dict(header))
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


def _said(names: list[str], *, sure: bool) -> Callable[[Values], object]:
    """What some fields say. `sure`: they are all there."""
    return itemgetter(*names) if sure and names else lambda values: tuple(map(values.get, names))


def _message(table: MessageTable, endian: str, header: frozenset[str]) -> Message:
    match = parse_condition(table.match)
    separator = None if table.separator is None else parse_bytes(table.separator)
    layout = compile_fields(table.fields, endian, separator)
    compute = tuple((name, parse_expression(text)) for name, text in table.compute.items())
    early, strict = match.names <= header, table.extra == "refuse"
    return Message(
        name=table.name,
        table=table,
        match=match,
        early=early,
        tested=early and bool(match.tests),
        layout=layout,
        compute=compute,
        strict=strict,
        guard=guard(table, endian),
        piece=table.piece,
        refused=table.refused,
        acknowledge=table.acknowledge,
        then=table.then,
        leads_on=bool(table.refused or table.acknowledge or table.then),
        read=layout.read,
    )
