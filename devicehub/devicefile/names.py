"""What no single key shows: whether the names in a device file mean something, and whether its keys fit each other."""

from collections.abc import Iterable, Iterator
from typing import Final

from devicehub.devicefile.asking import LENGTH, RESEND
from devicehub.devicefile.fields import STRETCHES, names
from devicehub.devicefile.memory.codec import CODECS
from devicehub.devicefile.notation import parse_template, slots
from devicehub.devicefile.schema import ChannelTable, DeviceFile, FrameTable
from devicehub.devicefile.schema_memory import DATE, PLACE
from devicehub.devicefile.schema_message import FieldTable, MessageTable
from devicehub.model.reading import Cause
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake

ANY: Final = "any"
_MORE: Final = ("more_at", "more_mask", "more_alike", "more_within_s")
_ASIDE: Final = ("aside_start", "aside_end")
_OF_KIND: Final = {
    "delimited": frozenset({"start", "end", "escape", "strip"}),
    "length": frozenset({"sync", "at", "width", "mask", "adjust", "request_adjust", "rest_within_s", *_ASIDE}),
    "packet": frozenset({"payload_at", "payload_size_at", "payload_most", "report", *_MORE}),
    "reply": frozenset[str](),
}
_NEEDED: Final = {"delimited": ("end",), "length": (), "packet": (), "reply": ()}


def name_complaints(file: DeviceFile) -> Iterator[Complaint]:
    """Every mistake between the keys of a file whose values are right by themselves."""
    yield from _frame(file.frame)
    options = [one.name for one in file.option]
    yield from _known(("link", "endpoint_option"), file.link.endpoint_option, options, "option")
    yield from _repeated("channel", [one.name for one in file.channel])
    yield from _repeated("option", options)
    yield from _repeated("counter", [one.name for one in file.counter])
    yield from _repeated("message", [one.name for one in file.message])
    yield from _repeated("request", [one.name for one in file.request])
    yield from _fields(("frame", "header"), file.frame.header, file)
    for number, message in enumerate(file.message):
        yield from _message(("message", number), message, file)
        yield from _of_the_header(("message", number, "fields"), message.fields)
    yield from _requests(file)
    yield from _vectors(file)
    yield from _simulate(file)
    yield from _produced(file)


def _frame(frame: FrameTable) -> Iterator[Complaint]:
    for kind, keys in _OF_KIND.items():
        for key in sorted(keys & frame.model_fields_set if kind != frame.kind else ()):
            if key == "request_adjust":
                continue  # of use wherever a request has its length in it
            yield Complaint(("frame", key), f"frame.{key}: has no meaning for kind = '{frame.kind}', only for '{kind}'")
    if bool(frame.aside_start) != bool(frame.aside_end) or (frame.aside_start and not frame.sync):
        text = "frame.aside_start: needs frame.aside_end and frame.sync, which tells the frames apart"
        yield Complaint(("frame", "aside_start"), text)
    if frame.more_at is not None and not (frame.report and frame.payload_most):
        yield Complaint(("frame", "more_at"), "frame.more_at: needs frame.report and frame.payload_most")
    for key in _NEEDED[frame.kind]:
        if not getattr(frame, key):
            yield Complaint(("frame", key), f"frame.{key}: missing; kind = '{frame.kind}' needs it")


def _repeated(table: str, found: list[str], key: str = "name") -> Iterator[Complaint]:
    for number, name in enumerate(found):
        if name in found[:number]:
            yield value_mistake((table, number, key), name, f"already used by {table}[{found.index(name)}]")


def _known(path: KeyPath, name: str | None, known: Iterable[str], what: str) -> Iterator[Complaint]:
    if name is not None and name not in (words := list(known)):
        yield value_mistake(path, name, f"there is no such {what}{suggestion(name, words)}")


def _fields(path: KeyPath, fields: Iterable[FieldTable], file: DeviceFile) -> Iterator[Complaint]:
    channels = {one.name: one for one in file.channel}
    sources = [*(one.name for one in file.option), *(one.name for one in file.counter)]
    for number, field in enumerate(fields):
        here: KeyPath = (*path, number)
        yield from _field(here, field)
        yield from _known((*here, "channel"), field.channel, channels, "channel")
        yield from _known((*here, "echo"), field.echo, sources, "option or counter")
        if field.channel in channels:
            yield from _unit(here, field, channels[field.channel])
        for inner, element in _elements(here, field):
            yield from _fields(inner, element, file)
            yield from _kept(inner, element)


def _elements(path: KeyPath, field: FieldTable) -> Iterator[tuple[KeyPath, tuple[FieldTable, ...]]]:
    """The fields of a list's element, and those of each of its cases."""
    yield (*path, "fields"), field.fields
    for at, case in enumerate(field.case):
        yield (*path, "case", at, "fields"), case.fields


def _kept(path: KeyPath, fields: Iterable[FieldTable]) -> Iterator[Complaint]:
    """Of a list there may be many elements, or none: none of them can be kept."""
    for number, field in enumerate(fields):
        if field.remember:
            here: KeyPath = (*path, number, "remember")
            yield Complaint(here, f"{key_text(here)}: a field of a list's element cannot be kept")


def _of_the_header(path: KeyPath, fields: Iterable[FieldTable]) -> Iterator[Complaint]:
    """Keys that only a field of the header has: elsewhere they would change nothing."""
    for number, field in enumerate(fields):
        for key in sorted({"echo", "holds"} & field.model_fields_set):
            yield Complaint(
                (*path, number, key), f"{key_text((*path, number, key))}: only a field of the header has it"
            )
        for inner, element in _elements((*path, number), field):
            yield from _of_the_header(inner, element)


def _field(path: KeyPath, field: FieldTable) -> Iterator[Complaint]:
    if not field.name and field.type != "pad":
        yield Complaint((*path, "name"), f"{key_text(path)}.name: missing; only a pad has none")
    if field.type == "pad" and field.size is None:
        yield Complaint((*path, "size"), f"{key_text(path)}.size: missing; how many bytes?")
    if field.of is not None and field.type != "array":
        yield Complaint((*path, "of"), f"{key_text(path)}.of: has no meaning for type = '{field.type}'")
    if field.type == "list" and not field.fields:
        yield Complaint((*path, "fields"), f"{key_text(path)}.fields: missing; of what is an element made?")
    if field.until is not None and field.type not in STRETCHES | {"list"}:
        yield Complaint((*path, "until"), f"{key_text(path)}.until: has no meaning for type = '{field.type}'")


def _unit(path: KeyPath, field: FieldTable, channel: ChannelTable) -> Iterator[Complaint]:
    if field.unit is not None and field.unit != channel.unit:
        text = f"channel '{channel.name}' is in {channel.unit}; convert with scale and offset, and give its unit here"
        yield value_mistake((*path, "unit"), field.unit, text)


def _message(path: KeyPath, message: MessageTable, file: DeviceFile) -> Iterator[Complaint]:
    channels = {one.name: one for one in file.channel}
    yield from _fields((*path, "fields"), message.fields, file)
    known = [*names(file.frame.header), *names(message.fields), *message.compute]
    for field in message.match:
        yield from _known((*path, "match", field), field, known, "field")
    lists = [field.name for field in message.fields if field.type == "list"]
    for table in ("measure", "spectrum", "image", "scan"):
        for number, one in enumerate(getattr(message, table)):
            here: KeyPath = (*path, table, number)
            yield from _known((*here, "channel"), one.channel, channels, "channel")
            yield from _known((*here, "each"), getattr(one, "each", None), lists, "list")
    for number, level in enumerate(message.capability):
        yield from _known((*path, "capability", number, "cause"), level.cause, Cause, "cause")
    if message.piece is not None:
        whole = [one.name for one in file.message if not one.match]
        yield from _known((*path, "piece", "of"), message.piece.of, whole, "message without a match")
        kinds = {field.name: field.type for field in message.fields}
        if kinds.get(message.piece.data, "bytes") != "bytes":
            yield value_mistake((*path, "piece", "data"), message.piece.data, "must be a field of type 'bytes'")
    requests = [one.name for one in file.request]
    yield from _known((*path, "acknowledge"), message.acknowledge, requests, "request")
    for number, name in enumerate(message.then):
        yield from _known((*path, "then", number), name, requests, "request")


def _requests(file: DeviceFile) -> Iterator[Complaint]:
    messages = [one.name for one in file.message]
    sources = [LENGTH, RESEND, *(one.name for one in file.option), *(one.name for one in file.counter)]
    sources += [*PLACE, *DATE] if file.memory else []
    yield from _slots(("frame", "request_head"), file.frame.request_head, sources)
    yield from _slots(("frame", "request_tail"), file.frame.request_tail, sources)
    for number, request in enumerate(file.request):
        path: KeyPath = ("request", number)
        for at, name in enumerate(request.replies):
            yield from _known((*path, "replies", at), name, messages, "message")
        given = [one.name for command in file.command if command.request == request.name for one in command.args]
        yield from _slots((*path, "send"), request.send, [*sources, *given])
        sized = request.size is not None or request.idle_s is not None
        if file.frame.kind == "reply" and request.replies and not sized:
            yield Complaint(path, f"{key_text(path)}: frame.kind = 'reply' needs 'size' or 'idle_s'")
        yield from _texts((*path, "send"), request.send, file)
    for number, forbidden in enumerate(file.forbidden):
        yield from _slots(("forbidden", number, "send"), forbidden.send, [*sources, ANY])
    yield from _talk(file)
    yield from _memories(file)
    yield from _commands(file)


def _texts(path: KeyPath, send: str, file: DeviceFile) -> Iterator[Complaint]:
    """Texts that would be put into a request: they could make another request of it."""
    texts = {one.name for one in file.option if isinstance(one.default, str)}
    texts |= {one.name for command in file.command for one in command.args if isinstance(one.default, str)}
    for slot in slots(parse_template(f"{file.frame.request_head} {send} {file.frame.request_tail}")):
        if slot in texts:
            yield value_mistake(path, slot, "its default is a text; only numbers are put into a request")


def _commands(file: DeviceFile) -> Iterator[Complaint]:
    yield from _repeated("command", [one.verb for one in file.command], "verb")
    by_itself = set(_sent_by_itself(file))
    for number, command in enumerate(file.command):
        path: KeyPath = ("command", number)
        yield from _known((*path, "request"), command.request, (one.name for one in file.request), "request")
        if command.control and command.request in by_itself:
            text = "it is sent without the command too; a request that changes something is sent by its command alone"
            yield value_mistake((*path, "request"), command.request, text)
        replies = {name for one in file.request if one.name == command.request for name in one.replies}
        fields = {name for one in file.message if one.name in replies for name in _decoded(one, file)}
        for name, field in command.result.items():
            yield from _known((*path, "result", name), field, fields, "field of its answers")


def _sent_by_itself(file: DeviceFile) -> Iterator[str]:
    """Requests that nobody has to command."""
    yield from (*file.conversation.start, *file.conversation.stop, file.errors.answer or "")
    yield from (request.name for request in file.request if request.period_s is not None)
    for message in file.message:
        yield from (message.acknowledge or "", *message.then)
    for memory in file.memory:
        yield from (memory.clock, memory.read)


def _decoded(message: MessageTable, file: DeviceFile) -> Iterator[str]:
    yield from (*names(file.frame.header), *names(message.fields), *message.compute)


def _memories(file: DeviceFile) -> Iterator[Complaint]:
    requests = [one.name for one in file.request]
    for number, memory in enumerate(file.memory):
        path: KeyPath = ("memory", number)
        yield from _known((*path, "codec"), memory.codec, CODECS, "codec")
        yield from _known((*path, "channel"), memory.channel, (one.name for one in file.channel), "channel")
        for key, name in (("clock", memory.clock), ("read", memory.read), ("set_clock", memory.set_clock)):
            yield from _known((*path, key), name, requests, "request")
        for key, name, fields in (("clock", memory.clock, DATE), ("read", memory.read, ("memory",))):
            yield from _answered((*path, key), name, fields, file)


def _answered(path: KeyPath, name: str, fields: Iterable[str], file: DeviceFile) -> Iterator[Complaint]:
    replies = {reply for request in file.request if request.name == name for reply in request.replies}
    found = {field for message in file.message if message.name in replies for field in names(message.fields)}
    if missing := [field for field in fields if field not in found]:
        yield value_mistake(path, name, f"no answer to it has the field {missing[0]}")


def _slots(path: KeyPath, template: str, sources: list[str]) -> Iterator[Complaint]:
    for slot in slots(parse_template(template)):
        yield from _known(path, slot, sources, "option or counter")


def _talk(file: DeviceFile) -> Iterator[Complaint]:
    requests = [one.name for one in file.request]
    for key, listed in (("start", file.conversation.start), ("stop", file.conversation.stop)):
        for number, name in enumerate(listed):
            yield from _known(("conversation", key, number), name, requests, "request")
    yield from _known(("errors", "answer"), file.errors.answer, requests, "request")


def _vectors(file: DeviceFile) -> Iterator[Complaint]:
    for number, vector in enumerate(file.vector):
        path: KeyPath = ("vector", number)
        yield from _known((*path, "message"), vector.message, (one.name for one in file.message), "message")
        yield from _known((*path, "request"), vector.request, (one.name for one in file.request), "request")
        yield from _known((*path, "forbidden"), vector.forbidden, (one.title for one in file.forbidden), "title")
        if [vector.message, vector.request, vector.fault, vector.forbidden].count(None) != 3:
            yield Complaint(path, f"{key_text(path)}: must have exactly one of message, request, fault and forbidden")
    replies = any(vector.message is not None for vector in file.vector)
    if not replies and not file.untested:
        text = "vector: there is none of a message; add bytes and what they mean, or set untested = true"
        yield Complaint(("vector",), text)
    if replies and file.untested:
        yield Complaint(("untested",), "untested = true: there are vectors of messages; take one or the other away")


def _simulate(file: DeviceFile) -> Iterator[Complaint]:
    messages = [one.name for one in file.message]
    for key in ("values", "when", "on", "every_s"):
        for name in getattr(file.simulate, key):
            yield from _known(("simulate", key, name), name, messages, "message")


def _produced(file: DeviceFile) -> Iterator[Complaint]:
    """A channel that nothing gives a value would be silent for ever."""
    fed = {one.channel for message in file.message for table in ("measure", "spectrum", "image", "scan")
           for one in getattr(message, table)}  # fmt: skip
    fed |= {field.channel for message in file.message for field in _all(message.fields) if field.channel}
    fed |= {one.channel for one in file.memory}
    for number, channel in enumerate(file.channel):
        if channel.name not in fed:
            yield value_mistake(("channel", number, "name"), channel.name, "no field or measure gives it a value")


def _all(fields: Iterable[FieldTable]) -> Iterator[FieldTable]:
    for field in fields:
        yield field
        yield from _all(field.fields)
        for case in field.case:
            yield from _all(case.fields)
