"""The device itself from its file: the encoder is the decoder's inverse, a physical model gives the quantities.

Requests are told apart by what they send. The answer is the first of a request's replies whose condition on the
quantities holds. Beyond the model's verbs there are `mute(seconds)`, `garble` (a bit of the next frame flips) and, of
frames with numbers, `misnumber` (the next answer, or the pieces of the next message, have a wrong one).
A value that its field cannot hold is sent as the nearest that it can, a message that cannot be encoded is not sent, and
each is said once.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from random import Random

from devicehub.devicefile.compiled import Compiled, Request
from devicehub.devicefile.condition import parse_condition
from devicehub.devicefile.expression import Expression, parse_expression
from devicehub.devicefile.fitting import Fit, bits, fitting
from devicehub.devicefile.framers import Replies
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import Decoded
from devicehub.devicefile.physics.model import Asked, Model, Quantities
from devicehub.devicefile.physics.models import MODELS
from devicehub.devicefile.pieces import bodies, piece_of
from devicehub.devicefile.schema_message import FieldTable
from devicehub.devicefile.vectors import shown
from devicehub.model.errors import ProtocolError
from devicehub.tomlfile.problems import Complaint, suggestion, value_mistake

_LITERAL = frozenset({"text", "bytes", "list", "array"})
_BUFFER = 4096
_log = logging.getLogger(__name__)


class Value:
    """What a field of a simulated message is: a constant, a formula of quantities, or a quantity itself."""

    def __init__(self, given: object, field: FieldTable | None, fit: Fit | None = None) -> None:
        """`fit`: what the field can hold."""
        self.fit = fit
        self._given = given if field is None else literal(given, field)
        self._formula: Expression | None = None
        self._quantity = ""
        if isinstance(given, str) and given.startswith("$"):
            self._quantity = given[1:]
        elif isinstance(given, str) and field is not None and not field.enum and field.type not in _LITERAL:
            self._formula = parse_expression(given)

    def of(self, quantities: Quantities) -> Decoded:
        """Its value now. Raises `KeyError` for a quantity that there is not."""
        if self._quantity:
            return quantities[self._quantity]
        return self._given if self._formula is None else self._formula(quantities)


def literal(given: object, field: FieldTable) -> object:
    """What a file gives as a field's value: bytes as they are written there, in lists too."""
    if field.type == "bytes" and isinstance(given, str) and not given.startswith("$"):
        return parse_bytes(given)
    if field.type != "list" or not isinstance(given, list):
        return given
    inner = {one.name: one for one in (*field.fields, *(one for case in field.case for one in case.fields))}
    return [{name: literal(one, inner[name]) if name in inner else one for name, one in row.items()} for row in given]


class Device:
    """A simulated device, without its link: requests in, frames out."""

    def __init__(self, compiled: Compiled, random: Random) -> None:
        simulate = compiled.file.simulate
        self._compiled = compiled
        self._random = random
        self._model: Model = MODELS[simulate.model](random, simulate.options)
        self._values = dict(_values(compiled))
        self._when = {name: parse_condition(table) for name, table in simulate.when.items()}
        self._every = dict(simulate.every_s)
        self._elapsed = dict.fromkeys(self._every, 0.0)
        self._patterns = [
            (compiled.asking.pattern(request.template), request) for request in compiled.requests.values()
        ]
        self._framer = compiled.asking.request_framer()
        self._buffer = b""
        self._mute = 0.0
        self._garble = self._misnumber = False
        self.unsayable: dict[tuple[str, str], str] = {}

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "mute":
            self._mute = float(values["seconds"])
        elif verb == "garble":
            self._garble = True
        elif verb == "misnumber":
            self._check_numbered()
            self._misnumber = True
        else:
            self._model.do(verb, **values)

    def advance(self, dt: float) -> list[bytes]:
        """Time passes; what it says of its own accord."""
        self._mute = max(0.0, self._mute - dt)
        events = self._model.advance(dt)
        on = self._compiled.file.simulate.on
        names = [name for event in events for name, wanted in on.items() if wanted == event and self._holds(name)]
        out = [one for name in names for one in self.said(name, {})]
        for name, period in self._every.items():
            self._elapsed[name] += dt
            while self._elapsed[name] >= period:
                self._elapsed[name] -= period
                out += self.said(name, {}) if self._holds(name) else []
        return [] if self._mute else out

    def receive(self, data: bytes) -> list[bytes]:
        """The host wrote `data`; the packets that answer it."""
        out: list[bytes] = []
        for request, match in self._requests(data):
            sent = self._compiled.asking.read(request.template, match)
            if isinstance(self._model, Asked):
                self._model.asked(request.name, sent)
            answer = self._answer(request)
            if answer is not None:
                out += self.said(answer, sent)
        return [] if self._mute else out

    def _requests(self, data: bytes) -> Iterator[tuple[Request, re.Match[bytes]]]:
        table = self._compiled.file.frame
        if table.kind in {"delimited", "length"} and not table.aside_start and not isinstance(self._framer, Replies):
            for frame in self._framer.feed(data):
                if not isinstance(frame, ProtocolError):
                    yield from self._fitting(frame)
            return
        self._buffer = (self._buffer + data)[-_BUFFER:]
        yield from self._searched()

    def _fitting(self, frame: bytes) -> Iterator[tuple[Request, re.Match[bytes]]]:
        for pattern, request in self._patterns:
            match = pattern.fullmatch(frame)
            if match is not None and self._answers(request):
                yield request, match
                return

    def _searched(self) -> Iterator[tuple[Request, re.Match[bytes]]]:
        """Requests without borders: the earliest that fits, again and again."""
        while True:
            found = [
                (match.start(), number, match)
                for number, (pattern, request) in enumerate(self._patterns)
                if (match := pattern.search(self._buffer)) is not None and self._answers(request)
            ]
            if not found:
                return
            _, number, match = min(found, key=lambda one: one[:2])
            self._buffer = self._buffer[match.end() :]
            yield self._patterns[number][1], match

    def _answers(self, request: Request) -> bool:
        """Of requests that are written alike and meant for other models, this device knows one."""
        return request.wanted(self._identity())

    def _identity(self) -> Quantities:
        """What it would say of itself: the remembered fields of all messages."""
        quantities = self._model.quantities()
        return {
            field: self._values[name][field].of(quantities)
            for name, fields in self._compiled.remembered.items()
            for field in fields
            if field in self._values.get(name, {})
        }

    def _answer(self, request: Request) -> str | None:
        return next(filter(self._holds, request.table.replies), None)

    def _holds(self, name: str) -> bool:
        """Whether a message is what it says now."""
        return name not in self._when or self._when[name](self._model.quantities())

    def said(self, name: str, sent: Mapping[str, float | str]) -> list[bytes]:
        """A message in the packets that it takes; none if it cannot be encoded."""
        try:
            frames = self.frames(name, sent)
        except (OverflowError, ValueError, ProtocolError) as error:
            self._tell(name, "", f"not sent: {error}")
            return []
        return [packet for frame in frames for packet in self._compiled.framing.packets(frame)]

    def _tell(self, name: str, field: str, text: str) -> None:
        """What cannot be said as it is, once: in the log, and to whoever asks."""
        if (name, field) not in self.unsayable:
            self.unsayable[name, field] = text
            _log.warning("simulated %s, message %s: %s", self._compiled.file.title, name, text)

    def frames(self, name: str, sent: Mapping[str, float | str]) -> list[bytes]:
        """A message as it is sent now, in pieces where it has some.

        Raises `KeyError`, `OverflowError`, `ValueError`, `ProtocolError`.
        """
        quantities, codec = self._model.quantities(), self._compiled.codec
        piece = piece_of(codec, name)
        named = {name} if piece is None or piece.table.piece is None else {piece.name, piece.table.piece.of}
        given = {field: value for one in named for field, value in self._values.get(one, {}).items()}
        values = {field: self._fitted(name, field, value, value.of(quantities)) for field, value in given.items()}
        number, repeated = self._number(sent, pieces=piece is not None)
        made = bodies(codec, name, values, repeated, number)
        return [self._garbled(self._compiled.framing.reply(body)) for body in made]

    def _check_numbered(self) -> None:
        """Raises `ValueError` where nothing that it says has a number."""
        file = self._compiled.file
        pieces = (message.piece for message in file.message if message.piece is not None)
        if not any(one.echo for one in file.frame.header) and not any(piece.number for piece in pieces):
            raise ValueError("'misnumber': nothing that it says has a number")

    def _number(self, sent: Mapping[str, float | str], *, pieces: bool) -> tuple[int, Mapping[str, float | str]]:
        """The number of a message's first piece, and what an answer repeats: wrong where that was asked for."""
        echoes = {one.echo for one in self._compiled.file.frame.header if one.echo in sent}
        if not self._misnumber or not (pieces or echoes):
            return 0, sent
        self._misnumber = False
        return int(pieces), {name: int(value) ^ 1 if name in echoes else value for name, value in sent.items()}

    def _fitted(self, name: str, field: str, value: Value, found: Decoded) -> Decoded:
        """A value as its field can hold it."""
        fits = found if value.fit is None else value.fit(found)
        if fits is not found:
            self._tell(name, field, f"{field} = {shown(found)} does not fit its field, which holds {shown(fits)}")
        return fits

    def _garbled(self, frame: bytes) -> bytes:
        """One bit of the next frame flips, where that was asked for."""
        if not self._garble:
            return frame
        self._garble, damaged = False, bytearray(frame)
        damaged[len(damaged) // 2] ^= 1 << self._random.randrange(8)
        return bytes(damaged)


def trial(compiled: Compiled) -> Device:
    """A simulated device of which everything is the same whenever the file is tried. Raises `ValueError`."""
    return Device(compiled, Random(0))  # noqa: S311 - a trial of the file, no chance of any device


def simulate_complaints(compiled: Compiled) -> Iterator[Complaint]:
    """What the simulated device cannot be or say, as each of its messages is encoded once."""
    simulate = compiled.file.simulate
    if simulate.model not in MODELS:
        near = suggestion(simulate.model, MODELS) or f"; known: {', '.join(MODELS)}"
        yield value_mistake(("simulate", "model"), simulate.model, f"no such model{near}")
        return
    if found := list(_formula_complaints(compiled)):
        yield from found
        return
    try:
        device = trial(compiled)
    except ValueError as error:
        yield Complaint(("simulate", "options"), f"simulate.options: {error}")
        return
    for name in simulate.values:
        try:
            device.frames(name, {})
        except (KeyError, TypeError, OverflowError, ValueError, ProtocolError) as error:
            text = f"the model has no quantity {error}" if isinstance(error, KeyError) else str(error)
            yield Complaint(("simulate", "values", name), f"simulate.values.{name}: {text}")
    for (name, field), text in device.unsayable.items():
        yield Complaint(("simulate", "values", name, field), f"simulate.values.{name}.{field}: {text}")


def _formula_complaints(compiled: Compiled) -> Iterator[Complaint]:
    """Values that are no arithmetic, and bytes that are none."""
    for message, name, value, fits in _written(compiled):
        try:
            Value(value, *fits)
        except ValueError as error:
            yield value_mistake(("simulate", "values", message, name), value, str(error))


def _values(compiled: Compiled) -> Iterator[tuple[str, dict[str, Value]]]:
    for message, found in groupby(_written(compiled), key=itemgetter(0)):
        yield message, {name: Value(value, *fits) for _, name, value, fits in found}


def _written(compiled: Compiled) -> Iterator[tuple[str, str, object, tuple[FieldTable | None, Fit | None]]]:
    """Every value that a field of a message is given: message, field, value, and what it can hold."""
    for message in compiled.file.message:
        fields = dict(_given(compiled.file.frame.header)) | dict(_given(message.fields))
        for name, value in compiled.file.simulate.values.get(message.name, {}).items():
            yield message.name, name, value, fields.get(name, (None, None))


def _given(fields: Iterable[FieldTable]) -> Iterator[tuple[str, tuple[FieldTable, Fit]]]:
    """What can be given a value, and what it can hold: fields, and bits within them, which are numbers."""
    for field in fields:
        yield field.name, (field, fitting(field))
        for bit, place in field.bits.items():
            yield bit, (FieldTable(name=bit, type="u64"), bits(place[1] if len(place) > 1 else 1))
