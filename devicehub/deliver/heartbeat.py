"""Whether the hub's own messages come back from the broker, and whether it still has them. Pure; seconds are monotonic.

Brokers grant a subscription and then keep back what the access list forbids, and acknowledge what they drop. Only a
message that came back proves that messages come through.
"""

from collections import OrderedDict
from enum import StrEnum

_REMEMBERED = 16


class Finding(StrEnum):
    """SILENT: nothing came back in time. BACK: it does again. FORGOT: what was retained is gone."""

    SILENT = "silent"
    BACK = "back"
    FORGOT = "forgot"


class Heartbeat:
    """Own messages on their way through the broker, for one connection at a time.

    `round_trip`: seconds that the last one took; None while none has come back on this connection.
    """

    def __init__(self) -> None:
        self.round_trip: float | None = None
        self.silent = False
        self._sent: OrderedDict[str, float] = OrderedDict()
        self._due: float | None = None
        self._left = False
        self._fresh = True

    def connected(self) -> None:
        """A new connection: what was on its way on the last one proves nothing about this one."""
        self.round_trip, self._due, self._fresh = None, None, True
        self._sent.clear()

    def lost(self) -> None:
        """The connection ended: nothing can come back."""
        self._due = None

    def said(self, name: str, now: float, within: float) -> None:
        """A message of id `name` is on its way; it or a later one is to come back within so many seconds."""
        self._sent[name] = now
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
        if self._due is None:
            self._due = now + within

    def knows(self, name: str) -> bool:
        """Whether a message of that id is one of ours of this connection."""
        return name in self._sent

    def heard(self, name: str, now: float, *, retained: bool) -> list[Finding]:
        """A message of id `name` came. `retained`: from the topic on which the broker keeps the last one for ever.

        There the first message of a connection is what the broker kept, because the subscription leaves before
        anything is published; if it is our own of this connection, the broker had nothing.
        """
        ours = name in self._sent
        found = [Finding.FORGOT] if retained and self._fresh and ours and self._left else []
        self._fresh = self._fresh and not retained
        if ours:
            self.round_trip, self._due = now - self._sent[name], None
            self._left = self._left or retained
            if self.silent:
                self.silent = False
                found.append(Finding.BACK)
        return found

    def look(self, now: float) -> list[Finding]:
        """What is overdue by now, told once until something comes back."""
        if self._due is None or now < self._due:
            return []
        self.round_trip, self._due = None, None
        if self.silent:
            return []
        self.silent = True
        return [Finding.SILENT]
