"""What durable consumers say they have, and from where to send again. Pure; times are monotonic seconds.

A receipt is cumulative: everything of an epoch and stream up to a number is on the consumer's stable storage.
See docs/decisions/0012-streams-epochs-and-receipts.md.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final

from msgspec import Struct

from devicehub.journal import Mark
from devicehub.journal.tables import Receipt
from devicehub.model.errors import ProtocolError
from devicehub.model.segment import SEGMENT
from devicehub.model.stream import Stream
from devicehub.publish.inbound import Json, parse

STALL: Final = 2.0
STALL_MOST: Final = 60.0
REMIND_MOST: Final = 86400.0
ALIVE: Final = 15.0
CREDIT: Final = 900
MOST_CONSUMERS: Final = 64
_LIMIT: Final = 4096


class RefusedReceipt(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A receipt that cannot be right; its text says why."""


class _Progress(Struct):
    """Of one consumer in one stream. `behind`: since when it is behind what the broker acknowledged."""

    number: int
    heard: float
    behind: float | None = None
    pause: float = STALL


class Receipts:
    """The newest receipt of every consumer and stream."""

    def __init__(self) -> None:
        self._progress: dict[str, dict[Stream, _Progress]] = {}
        self._live: dict[str, float] = {}
        self._changed: set[str] = set()
        self._gone: set[str] = set()

    def __len__(self) -> int:
        return len(self._progress)

    def resume(self, stored: Sequence[Receipt]) -> None:
        """Take over what earlier runs were told."""
        for one in stored:
            self._progress.setdefault(one.consumer, {})[one.stream] = _Progress(one.number, one.heard)

    def note(self, consumer: str, numbers: Mapping[Stream, int], utc: float, now: float, *, live: bool) -> bool:
        """A checked receipt; whether it is the first of its consumer.

        `live`: it came from the consumer itself, not from what the broker retains of it. Raises `RefusedReceipt` for
        one more consumer than there may be.
        """
        new = consumer not in self._progress
        if new and len(self._progress) >= MOST_CONSUMERS:
            raise RefusedReceipt(f"there are {MOST_CONSUMERS} consumers already")
        known = self._progress.setdefault(consumer, {})
        for stream in known.keys() - numbers.keys():
            del known[stream]
        for stream, number in numbers.items():
            progress = known.get(stream)
            if progress is None or progress.number != number:
                known[stream] = _Progress(number, utc)
            elif live:
                progress.heard = utc
        if live:
            self._live[consumer] = now
        self._changed.add(consumer)
        self._gone.discard(consumer)
        return new

    def leave(self, consumer: str) -> bool:
        """The consumer will not come again; whether it was known."""
        self._changed.discard(consumer)
        self._live.pop(consumer, None)
        known = self._progress.pop(consumer, None) is not None
        if known:
            self._gone.add(consumer)
        return known

    def joined(self, consumer: str) -> None:
        """It is heard for the first time on a connection: what it lacks is sent again soon."""
        for progress in self._progress[consumer].values():
            progress.pause, progress.behind = STALL, None

    def stalled(self, stream: Stream, acked: int, now: float, *, carried: bool = False) -> int | None:
        """The lowest receipt of a consumer that lives, is behind `acked` and does not come forward; None for none.

        Asked again and again: each answer makes the next of the same consumer come later, until it comes forward.
        `carried`: there are events of an epoch that ended. Nobody can confirm those, so whoever has confirmed nothing
        of this epoch yet may lack them.
        """
        lowest: int | None = None
        for consumer, known in self._progress.items():
            progress = known.get(stream)
            if progress is None or now - self._live.get(consumer, -ALIVE) >= ALIVE:
                continue
            if _stalled(progress, acked, now, carried=carried) and (lowest is None or progress.number < lowest):
                lowest = progress.number
        return lowest

    def living(self, stream: Stream, since: float) -> list[int]:
        """Receipts of the consumers of a stream that were heard of since monotonic second `since`."""
        return [
            known[stream].number
            for consumer, known in self._progress.items()
            if stream in known and self._live.get(consumer, -inf) >= since
        ]

    def of(self, stream: Stream) -> dict[str, int]:
        """Receipt of each consumer of a stream."""
        return {name: known[stream].number for name, known in sorted(self._progress.items()) if stream in known}

    def silent(self, before: float) -> list[str]:
        """Consumers that were not heard of since that UTC second."""
        heard = {
            name: max((one.heard for one in known.values()), default=0.0) for name, known in self._progress.items()
        }
        return [name for name, at in heard.items() if at < before]

    def unsaved(self, changed: Sequence[Receipt], gone: Sequence[str]) -> None:
        """What `changes` gave could not be stored: it is given again."""
        self._changed.update(one.consumer for one in changed if one.consumer in self._progress)
        self._gone.update(name for name in gone if name not in self._progress)

    def changes(self) -> tuple[list[Receipt], list[str]]:
        """What was noted since the last call, to be stored; and who left."""
        names, self._changed = sorted(self._changed), set()
        left, self._gone = sorted(self._gone), set()
        changed = [
            Receipt(name, stream, progress.number, progress.heard)
            for name in names
            for stream, progress in self._progress.get(name, {}).items()
        ]
        return changed, left


def checked(consumer: str, payload: bytes, epoch: str, stored: Mapping[Stream, Mark]) -> dict[Stream, int]:
    """The numbers of a receipt; of streams it does not name none. Raises `RefusedReceipt`.

    One of another epoch says nothing about this one: its numbers are zero.
    """
    if not SEGMENT.fullmatch(consumer):
        raise RefusedReceipt(f"{consumer!r} is no name of a consumer")
    numbers = _numbers(payload, epoch)
    for stream, number in numbers.items():
        if number > stored[stream].number:
            raise RefusedReceipt(f"it has {stream} up to {number}, and only {stored[stream].number} are stored")
    return numbers


def served(receipts: Sequence[int], begin: int) -> int | None:
    """The number up to which a replay from `begin` may go, by the credit of those it is for; None for nobody."""
    return min((number + CREDIT for number in receipts if number >= begin), default=None)


def reach(receipts: Sequence[int], sent: int) -> int | None:
    """The number up to which history may be sent so that nobody is overrun; None where there is nobody.

    One that lacks more than its credit is served by a replay anyway. `CREDIT` stays below the queue of 1 000 that
    Mosquitto keeps for a subscriber unless told otherwise.
    """
    return min((number + CREDIT for number in receipts if sent - number <= CREDIT), default=None)


def _stalled(progress: _Progress, acked: int, now: float, *, carried: bool) -> bool:
    if progress.number >= acked and not (carried and progress.number == 0):
        progress.behind = None
    elif progress.behind is None:
        progress.behind = now
    elif now - progress.behind >= progress.pause:
        progress.behind = now
        progress.pause = min(progress.pause * 2, STALL_MOST if progress.number < acked else REMIND_MOST)
        return True
    return False


def _numbers(payload: bytes, epoch: str) -> dict[Stream, int]:
    try:
        receipt = parse(payload, _LIMIT)
    except ProtocolError as error:
        raise RefusedReceipt(str(error)) from None
    received, theirs = receipt.get("received"), receipt.get("epoch")
    if not isinstance(received, dict) or not isinstance(theirs, str):
        raise RefusedReceipt('it must be {"epoch": "...", "received": {"STREAM": NUMBER}}')
    numbers = {_stream(name): _number(name, value) for name, value in received.items()}
    return numbers if theirs == epoch else dict.fromkeys(numbers, 0)


def _stream(name: str) -> Stream:
    if name not in set(Stream):
        raise RefusedReceipt(f"there is no stream {name[:64]!r}")
    return Stream(name)


def _number(name: str, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RefusedReceipt(f"the number of {name} must be a whole number")
    return value
