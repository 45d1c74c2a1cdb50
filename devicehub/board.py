"""Messages of which only the latest counts: states, frames, health. Latest wins; what was overwritten is counted."""

from collections.abc import Callable

from devicehub.publish.port import Outgoing


class Board:
    """One place per topic. Retained ones are published again on every connect (the birth)."""

    def __init__(self) -> None:
        self._latest: dict[str, Outgoing] = {}
        self._pending: dict[str, Outgoing] = {}
        self._listeners: list[Callable[[], None]] = []
        self.dropped = 0

    def post(self, out: Outgoing) -> None:
        """Put the latest message of its topic on the board."""
        self.dropped += out.topic in self._pending
        self._pending[out.topic] = out
        if out.retain:
            self._latest[out.topic] = out
        self._tell()

    def rebirth(self) -> None:
        """A new connection: every retained message is due again, and frames of the past are not."""
        stale = [topic for topic, out in self._pending.items() if not out.retain]
        for topic in stale:
            del self._pending[topic]
        self.dropped += len(stale)
        self._pending = {**self._latest, **self._pending}
        self._tell()

    def take(self) -> list[Outgoing]:
        """What is due, oldest topic first; the board forgets it until it changes."""
        due, self._pending = list(self._pending.values()), {}
        return due

    def give_back(self, out: Outgoing) -> None:
        """It could not be sent: due again unless something newer is; a picture of the past is dropped."""
        if not out.retain:
            self.dropped += 1
        elif out.topic not in self._pending:
            self._pending[out.topic] = out
            self._tell()

    def idle(self) -> bool:
        """Nothing is due."""
        return not self._pending

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something becomes due."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
