"""Proves a device file by its vectors: bytes decode to what they mean, and what they mean encodes to the bytes."""

from collections.abc import Iterable, Iterator, Mapping
from math import isclose

import numpy as np

from devicehub.devicefile.commanding import forbidden
from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.framers import Replies, StreamFramer
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.parts import Decoded
from devicehub.devicefile.pieces import bodies, piece_of, understood
from devicehub.devicefile.schema import FrameTable, VectorTable
from devicehub.devicefile.telling import Teller
from devicehub.model.device import Channel
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Measurement, Quality, Sample
from devicehub.record import format_sample
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text
from devicehub.wire.framer import Frame
from devicehub.wire.packet import Packet


def vector_complaints(compiled: Compiled) -> Iterator[Complaint]:
    """What does not hold."""
    for number, vector in enumerate(compiled.file.vector):
        path: KeyPath = ("vector", number)
        for text in wrong(compiled, vector):
            yield Complaint(path, f"{key_text(path)}: {text}")


def wrong(compiled: Compiled, vector: VectorTable) -> Iterator[str]:
    """Why a vector does not hold; nothing if it does."""
    data = parse_bytes(vector.hex)
    try:
        if vector.request is not None:
            yield from _request(compiled, vector, data)
        elif vector.forbidden is not None:
            yield from _forbidden(compiled, vector.forbidden, data)
        else:
            yield from _message(compiled, vector, data)
    except ProtocolError as error:
        if vector.fault != str(error.reason):
            yield f"is refused: {error}"
    except (ValueError, TypeError) as error:
        yield f"cannot be encoded: {error}"


def frames(compiled: Compiled, data: bytes, step: int = 0) -> Iterator[bytes]:
    """The frames in `data`, given `step` bytes at a time. Raises `ProtocolError`."""
    framer = compiled.framing.framer()
    pieces = _pieces(framer, data, step, compiled.file.frame)
    yield from _whole(frame for piece in pieces for frame in framer.feed(piece))


def _pieces(framer: StreamFramer, data: bytes, step: int, frame: FrameTable) -> Iterator[bytes]:
    if isinstance(framer, Replies):
        framer.expect(len(data))
    size = (frame.report or len(data)) if frame.kind == "packet" else step or len(data)
    yield from (data[at : at + size] for at in range(0, len(data), size))


def _request(compiled: Compiled, vector: VectorTable, data: bytes) -> Iterator[str]:
    assert vector.request is not None
    request = compiled.requests[vector.request]
    values = {option.name: option.default for option in compiled.file.option}
    values |= {counter.name: counter.start + counter.plus for counter in compiled.file.counter} | vector.options
    sent = compiled.asking.request(request.template, values)
    unchecked = compiled.asking.request(request.template, values, unchecked=True)
    may_be_unchecked = any(check.zero_is_unchecked for check in compiled.file.check)
    if sent != data and not (may_be_unchecked and unchecked == data):
        yield f"request {vector.request} is {sent.hex(' ')}"


def _forbidden(compiled: Compiled, title: str, data: bytes) -> Iterator[str]:
    """It is something that such a device is sent, whole or in pieces, and the link refuses it."""
    found = _asked(compiled, data, 0)
    if len(found) != 1:
        yield f"holds {len(found)} requests"
        return
    if _asked(compiled, data, 1) != found:
        yield "byte by byte it is another request"
    if (made := compiled.asking.sealed(found[0])) != data:
        yield f"is sent as {made.hex(' ')}"
    if not any(one.title == title and one.names(Packet(data)) for one in forbidden(compiled.file, compiled.asking)):
        yield f"is not the command '{title}'"


def _asked(compiled: Compiled, data: bytes, step: int) -> list[bytes]:
    """The requests in `data`, given `step` bytes at a time. Raises `ProtocolError`."""
    framer = compiled.asking.request_framer()
    pieces = _pieces(framer, data, step, compiled.file.frame)
    return list(_whole(frame for piece in pieces for frame in framer.feed(piece)))


def _whole(found: Iterable[Frame]) -> Iterator[bytes]:
    for frame in found:
        if isinstance(frame, ProtocolError):
            raise frame
        yield frame


def _message(compiled: Compiled, vector: VectorTable, data: bytes) -> Iterator[str]:
    found = list(frames(compiled, data))
    if len(found) != 1 and (vector.message is None or piece_of(compiled.codec, vector.message) is None):
        yield f"holds {len(found)} frames"
        return
    if list(frames(compiled, data, 1)) != found:
        yield "byte by byte it is another frame"
    message, values = understood(compiled.codec, found, vector.message)
    if vector.fault is not None:
        yield f"is message {message.name}, no fault"
    elif message.name != vector.message:
        yield f"is message {message.name}"
    else:
        yield from differences(values, vector.decoded)
        yield from _samples(compiled, vector, values)
        yield from _encoded(compiled, message.name, values, found)


def _encoded(compiled: Compiled, name: str, values: Mapping[str, object], found: list[bytes]) -> Iterator[str]:
    """The encoder is the inverse of the decoder: the same frames, or one that decodes to the same."""
    unchecked = compiled.framing.is_unchecked(found[0])
    made = list(bodies(compiled.codec, name, values, {}))
    replies = [compiled.framing.reply(body, unchecked=unchecked) for body in made]
    table = compiled.file.frame
    data = replies if table.more_at is None else [b"".join(compiled.framing.packets(one)) for one in replies]
    again = [frame for one in data for frame in frames(compiled, one)]
    if [_unsized(frame, table) for frame in again] != [_unsized(frame, table) for frame in found]:
        yield f"encodes to {' | '.join(one.hex(' ') for one in data)}"


def _unsized(frame: bytes, table: FrameTable) -> bytes:
    """A frame without what the first of its packets says of itself: a device may cut its data otherwise."""
    if table.more_at is None or table.payload_size_at is None:
        return frame
    return frame[: table.payload_size_at] + frame[table.payload_size_at + 1 :]


def _samples(compiled: Compiled, vector: VectorTable, values: dict[str, Decoded]) -> Iterator[str]:
    if vector.message is None:
        return
    faults: list[ProtocolError] = []
    teller = Teller(compiled.meanings, (), untested=compiled.file.untested)
    told = list(teller.tell(vector.message, values, faults))
    made = [*map(format_sample, told), *(str(fault.reason) for fault in faults)]
    if vector.samples is not None and made != list(vector.samples):
        yield f"gives the samples {made}"
    for one in impossible(told, compiled.channels):
        channel = compiled.channels[one.channel]
        limits = f"{channel.low:g} to {channel.high:g}"
        yield f"gives {one.channel} {one.value:g}, which its channel ({limits}) cannot be"


def impossible(told: Iterable[Sample], channels: Mapping[str, Channel]) -> Iterator[Measurement]:
    """Those that their channel cannot be and that do not say so: the hub says that they are bad."""
    for one in told:
        if (
            isinstance(one, Measurement)
            and one.quality is not Quality.BAD
            and not channels[one.channel].holds(one.value)
        ):
            yield one


def differences(values: Mapping[str, object], wanted: Mapping[str, object]) -> Iterator[str]:
    """Fields that are not what they should be."""
    for name, value in wanted.items():
        if name not in values:
            yield f"has no field {name}"
        elif not same(values[name], value):
            yield f"{name} = {shown(values[name])}, not {shown(value)}"


def same(found: Decoded, wanted: Decoded) -> bool:
    """Whether a field is what the file says: numbers nearly, bytes in hexadecimal, arrays and lists by element."""
    if isinstance(found, np.ndarray):
        return isinstance(wanted, list) and found.tolist() == wanted
    if isinstance(found, list):
        return isinstance(wanted, list) and len(found) == len(wanted) and _all_same(found, wanted)
    if isinstance(found, bytes):
        return isinstance(wanted, str) and found == parse_bytes(wanted)
    if isinstance(found, float) and isinstance(wanted, int | float):
        return isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-9)
    return bool(found == wanted)


def _all_same(found: Iterable[Mapping[str, object]], wanted: Iterable[Mapping[str, object]]) -> bool:
    return not any(list(differences(one, other)) for one, other in zip(found, wanted, strict=True))


def shown(value: object) -> str:
    """A value in a message."""
    text = value.hex(" ") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
