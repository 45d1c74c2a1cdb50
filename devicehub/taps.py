"""What goes over the links of devices while it goes, as the lines of a transcript, for whoever asks to see it.

Nobody asks, nothing is made. Of one who does not take what came the newest `LINES` are kept, and what was missed is
counted; of a long packet the first `BYTES` are shown. What is personal data is not: of it the number of bytes is told,
and that a driver made something of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from devicehub.model.reading import Fault, Input, Reading
from devicehub.record import format_packet, format_sample
from devicehub.wire.packet import Packet

LINES: Final = 200
BYTES: Final = 256


class Passed(Struct, frozen=True, omit_defaults=True):
    """One line: its UTC second, `<` `>` `=` or `!` as in a transcript, the rest.

    `size`: of a packet that is not shown, or not whole, how many bytes it has.
    """

    at: float
    sign: str
    text: str
    size: int | None = None


class Listener:
    """One who asks."""

    def __init__(self) -> None:
        self._lines: deque[Passed] = deque()
        self._missed = 0
        self._came = asyncio.Event()

    def post(self, line: Passed) -> None:
        """Something passed."""
        if len(self._lines) >= LINES:
            self._lines.popleft()
            self._missed += 1
        self._lines.append(line)
        self._came.set()

    async def taken(self) -> tuple[list[Passed], int]:
        """Waits until something passed, and gives it with the number of lines that are gone."""
        await self._came.wait()
        self._came.clear()
        found = list(self._lines), self._missed
        self._lines.clear()
        self._missed = 0
        return found


class Taps:
    """See the module's docstring. Used from one event loop."""

    def __init__(self, utc: Callable[[], float], hidden: Callable[[str], bool]) -> None:
        """`hidden`: whether what a device says is personal data that is not to be shown, by its id."""
        self.hidden = hidden
        self._utc = utc
        self._listeners: dict[str, set[Listener]] = {}

    def packet(self, device: str, sign: str, packet: Packet) -> None:
        """A packet passed."""
        if device not in self._listeners:
            return
        size, hidden = len(packet.data), self.hidden(device)
        text = "" if hidden else format_packet(Packet(packet.data[:BYTES], packet.port))
        self._post(device, Passed(self._utc(), sign, text, size if hidden or size > BYTES else None))

    def made(self, one: Input) -> None:
        """A driver made something of it."""
        if not isinstance(one, Reading | Fault) or one.device not in self._listeners:
            return
        hidden = self.hidden(one.device)
        if isinstance(one, Reading):
            text = type(one.sample).__name__.lower() if hidden else format_sample(one.sample)
            self._post(one.device, Passed(one.at.utc, "=", text))
        else:
            text = one.reason.value if hidden or not one.detail else f"{one.reason.value} {one.detail}"
            self._post(one.device, Passed(one.at.utc, "!", text))

    @contextmanager
    def listening(self, device: str) -> Iterator[Listener]:
        """One who is told of all that passes from here on."""
        listener = Listener()
        listeners = self._listeners.setdefault(device, set())
        listeners.add(listener)
        try:
            yield listener
        finally:
            listeners.discard(listener)
            if not listeners:
                del self._listeners[device]

    def _post(self, device: str, line: Passed) -> None:
        for listener in self._listeners[device]:
            listener.post(line)
