"""Messages of which only the latest counts: states, frames, health. Latest wins; what was overwritten is counted."""

from collections.abc import Callable, Collection, Iterator

from devicehub.model.message import Kind
from devicehub.publish.port import Outgoing

_NODE = 4


class Board:
    """One place per topic. Retained ones are published again on every connect (the birth).

    What is due of a retained topic is always its latest: nothing ever comes back here. What was in
    flight when a connection was lost is due again by the next birth, as its topic's latest then.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Outgoing] = {}
        self._pending: dict[str, Outgoing] = {}
        self._listeners: list[Callable[[], None]] = []
        self._readers: list[Callable[[Outgoing], None]] = []
        self.dropped = 0

    def post(self, out: Outgoing) -> None:
        """Put the latest message of its topic on the board."""
        self.dropped += out.topic in self._pending
        self._pending[out.topic] = out
        if out.retain:
            self._latest[out.topic] = out
        for reader in self._readers:
            reader(out)
        self._tell()

    def rebirth(self) -> None:
        """A new connection: the latest of every retained topic is due, and frames of the past are not."""
        for out in self._pending.values():
            self.lost(out)
        self._pending = dict(self._latest)
        self._tell()

    def again(self, kinds: Collection[Kind], device: str = "") -> int:
        """Have the latest of retained topics published once more, of one device or of all; how many."""
        chosen = [out for out in self._latest.values() if _is_of(out, kinds, device)]
        for out in chosen:
            self._pending.setdefault(out.topic, out)
        self._tell()
        return len(chosen)

    def take(self) -> Iterator[Outgoing]:
        """What is due, oldest topic first; each is forgotten as it is taken, until it changes."""
        while self._pending:
            yield self._pending.pop(next(iter(self._pending)))

    def lost(self, out: Outgoing) -> None:
        """It was not sent and never will be: counted, unless it is retained, when its topic's latest will be sent."""
        self.dropped += not out.retain

    def idle(self) -> bool:
        """Nothing is due."""
        return not self._pending

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something becomes due."""
        self._listeners.append(listener)

    def read(self, reader: Callable[[Outgoing], None]) -> None:
        """Call `reader` with whatever is posted from now on."""
        self._readers.append(reader)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _is_of(out: Outgoing, kinds: Collection[Kind], device: str) -> bool:
    """The topic's part behind the node is the kind and, of a device, its name."""
    tail = out.topic.split("/")[_NODE:]
    return bool(tail) and tail[0] in kinds and (not device or tail[1:] == [device])
