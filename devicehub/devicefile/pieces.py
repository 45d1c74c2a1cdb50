"""A message that comes in several frames: joined as they come, cut as the simulated device sends them.

Pieces of a message are joined by their number where they have one, else as they come. A rest that does not come in
time is told when the next piece of that message begins.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from devicehub.devicefile.messages import Codec, Message
from devicehub.devicefile.parts import Values
from devicehub.devicefile.schema_message import PieceTable
from devicehub.model.errors import ProtocolError, Reason


@dataclass(slots=True)
class _Begun:
    data: bytearray
    count: int
    heard_at: float


class Pieces:
    """What has been joined on one open link, by message. Bounded by `most` of each."""

    def __init__(self) -> None:
        self._begun: dict[str, _Begun] = {}

    def add(self, now: float, table: PieceTable, values: Values, faults: list[ProtocolError]) -> bytes | None:
        """One piece; the whole, once it is there. What is dropped is added to `faults`."""
        begun = self._begun.get(table.of)
        if begun is not None and now - begun.heard_at > table.within_s:
            self._dropped(table, Reason.TRUNCATED, "the rest did not come", faults)
            begun = None
        expected = 0 if begun is None else begun.count
        number = expected if table.number is None else values.get(table.number)
        if number != expected:
            if begun is not None or number != 0:
                self._dropped(table, Reason.SEQUENCE, f"piece {number} instead of {expected}", faults)
                begun = None
            if number != 0:
                return None
        if begun is None:
            begun = self._begun[table.of] = _Begun(bytearray(), 0, now)
        return self._joined(now, table, values, begun, faults)

    def _joined(
        self, now: float, table: PieceTable, values: Values, begun: _Begun, faults: list[ProtocolError]
    ) -> bytes | None:
        begun.data += values[table.data]
        begun.count, begun.heard_at = begun.count + 1, now
        if len(begun.data) > table.most:
            self._dropped(table, Reason.OVERFLOW, f"more than {table.most} bytes", faults)
            return None
        if values.get(table.more):
            return None
        del self._begun[table.of]
        return bytes(begun.data)

    def _dropped(self, table: PieceTable, reason: Reason, why: str, faults: list[ProtocolError]) -> None:
        self._begun.pop(table.of, None)
        faults.append(ProtocolError(reason, f"{table.of}: {why}"))


def understood(codec: Codec, frames: Iterable[bytes], name: str | None) -> tuple[Message, Values]:
    """The message that some frames are, one or all of its pieces; `name`: asked for. Raises `ProtocolError`."""
    asked = None if name is None else piece_of(codec, name)
    expected = (name if asked is None else asked.name,) if name is not None else ()
    pieces, faults = Pieces(), list[ProtocolError]()
    last: tuple[Message, Values] | None = None
    for frame in frames:
        if last is not None:
            raise ProtocolError(Reason.LENGTH, f"more frames than one {last[0].name}")
        message, values = codec.decode(frame, expected, {})
        piece = message.table.piece
        joined = None if piece is None else pieces.add(0.0, piece, values, faults)
        if faults:
            raise faults[0]
        if piece is None:
            last = message, values
        elif joined is not None:
            last = codec.whole(piece.of, joined, values)
    if last is None:
        raise ProtocolError(Reason.TRUNCATED, "no whole message")
    return last


def piece_of(codec: Codec, name: str) -> Message | None:
    """The message whose frames are pieces of the message `name`, or are `name` themselves; None without pieces."""
    for message in codec.messages:
        if message.table.piece is not None and name in {message.name, message.table.piece.of}:
            return message
    return None


def bodies(
    codec: Codec, name: str, values: Mapping[str, object], sent: Mapping[str, float | str], first: int = 0
) -> Iterator[bytes]:
    """A message as it is sent, without checks: one body, or one for each piece. Raises `ValueError`.

    `first`: what the pieces are numbered from.
    """
    piece = piece_of(codec, name)
    if piece is None:
        yield codec.encode(name, values, sent)
        return
    table = piece.table.piece
    assert table is not None
    content = codec.content(table.of, values)
    cut = [content[at : at + table.size] for at in range(0, len(content), table.size)] or [b""]
    for number, data in enumerate(cut):
        place = {} if table.number is None else {table.number: number + first}
        given = {table.data: data, table.more: int(number < len(cut) - 1), **place}
        yield codec.encode(piece.name, {**values, **given}, sent)
