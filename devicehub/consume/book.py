"""What is stored of every node, epoch and stream, and what to say of it. Pure.

**Epochs.** Numbers begin at 1 with each epoch, so each is counted on its own, for ever. A receipt names one epoch, the
node's current one: the one that its status names, which a hub publishes before anything else; then every one that a
message sent for the first time names. Of a hub whose status names none it is the first that was heard, and then also
that of a message recorded later than any of the current one. What comes of another epoch, as when a hub had to salvage
its journal, cannot be asked for again with a receipt. So a hole there holds nothing up: what is above it is stored,
and what is missing is stored should it come.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from msgspec import Struct

from devicehub.consume.count import Count, Ranges, Verdict
from devicehub.consume.heard import Announced, Heard
from devicehub.model.receipt import Receipt
from devicehub.model.stream import Stream


class Key(NamedTuple):
    """Within one of these a number is unique. `node`: topic prefix."""

    node: str
    epoch: str
    stream: Stream


class Counted(Struct, frozen=True):
    """How far one stream of one epoch has come; see `Count`."""

    node: str
    epoch: str
    stream: Stream
    next: int
    missing: Ranges = ()

    @property
    def key(self) -> Key:
        """What it is about."""
        return Key(self.node, self.epoch, self.stream)


class Current(Struct, frozen=True):
    """The epoch that a node is in, and when the newest message of it was recorded there."""

    node: str
    epoch: str
    recorded: str


class State(Struct, frozen=True):
    """All of it, or what has changed. `lost`: numbers became missing that no stored message tells of."""

    counts: tuple[Counted, ...] = ()
    current: tuple[Current, ...] = ()
    lost: bool = False


class Book:
    """See the module's docstring. `streams`: those that are stored and confirmed."""

    def __init__(self, streams: AbstractSet[Stream]) -> None:
        self._streams = frozenset(streams)
        self._counts: dict[Key, Count] = {}
        self._current: dict[str, Current] = {}
        self._met: set[str] = set()
        self._announced: set[str] = set()
        self._changed: set[Key] = set()
        self._turned: set[str] = set()
        self._lost = False

    @property
    def nodes(self) -> list[str]:
        """Topic prefixes of all nodes heard of."""
        return sorted(self._met)

    def meet(self, node: str) -> bool:
        """There is such a node, whatever it has said; whether that is news."""
        news = node not in self._met
        self._met.add(node)
        return news

    def announce(self, status: Announced) -> bool:
        """A node says which epoch it is in; whether that is news."""
        self.meet(status.node)
        self._announced.add(status.node)
        known = self._current.get(status.node)
        if known is not None and known.epoch == status.epoch:
            return False
        self._current[status.node] = Current(status.node, status.epoch, status.at)
        self._turned.add(status.node)
        return True

    def restore(self, state: State) -> None:
        """What was stored by an earlier run."""
        for one in state.counts:
            self._counts[one.key] = Count(one.next, one.missing)
            self.meet(one.node)
        for current in state.current:
            self._current[current.node] = current
            self.meet(current.node)

    def replay(self, heard: Heard) -> None:
        """A message that an earlier run has stored, in the order of storing: what it left out was lost to it too."""
        self._turn(heard)
        self._lose(heard)
        self._count(heard.node, heard.epoch, heard.stream).overtake(heard.number)

    def judge(self, heard: Heard) -> Verdict:
        """What to do with a message that came; `Count.judge`. One of a stream that is not stored is a DUPLICATE."""
        self._turn(heard)
        lost = self._lose(heard)
        verdict = self._verdict(heard) if heard.stream in self._streams else Verdict.DUPLICATE
        if verdict in (Verdict.STORE, Verdict.LATE):
            self._changed.add(Key(heard.node, heard.epoch, heard.stream))
        elif lost:
            self._lost = True
        return verdict

    def next(self, heard: Heard) -> int:
        """The number that the stream of a message waits for."""
        return self._count(heard.node, heard.epoch, heard.stream).next

    def receipt(self, node: str) -> Receipt:
        """What a node is to be told. Of one that has said nothing yet: nothing received."""
        current = self._current.get(node)
        epoch = "" if current is None else current.epoch
        counts = {stream: self._counts.get(Key(node, epoch, stream)) for stream in Stream if stream in self._streams}
        return Receipt(epoch, {stream: 0 if count is None else count.received for stream, count in counts.items()})

    def state(self) -> State:
        """All there is to be known for the next run."""
        return State(tuple(self._counted(self._counts)), tuple(self._current.values()))

    def changes(self) -> State:
        """What has changed since the last call."""
        state = State(
            tuple(self._counted(sorted(self._changed))),
            tuple(self._current[node] for node in sorted(self._turned)),
            self._lost,
        )
        self._changed, self._turned, self._lost = set(), set(), False
        return state

    def _counted(self, keys: Iterable[Key]) -> Iterable[Counted]:
        return (Counted(*key, self._counts[key].next, self._counts[key].missing) for key in keys)

    def _count(self, node: str, epoch: str, stream: Stream) -> Count:
        return self._counts.setdefault(Key(node, epoch, stream), Count())

    def _verdict(self, heard: Heard) -> Verdict:
        count = self._count(heard.node, heard.epoch, heard.stream)
        current = self._current[heard.node].epoch == heard.epoch
        return count.judge(heard.number) if current else count.overtake(heard.number)

    def _turn(self, heard: Heard) -> None:
        self.meet(heard.node)
        known = self._current.get(heard.node)
        if known is not None and heard.recorded <= known.recorded and (known.epoch == heard.epoch or not heard.live):
            return
        if known is not None and known.epoch != heard.epoch and not heard.live and heard.node in self._announced:
            return
        self._current[heard.node] = Current(heard.node, heard.epoch, heard.recorded)
        self._turned.add(heard.node)

    def _lose(self, heard: Heard) -> bool:
        if not heard.lost:
            return False
        news = self._count(heard.node, heard.lost_in, heard.lost_of).lose(heard.lost)
        if news:
            self._changed.add(Key(heard.node, heard.lost_in, heard.lost_of))
        return news
