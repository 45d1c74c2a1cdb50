"""How long the rest of a frame is waited for: a line that falls silent within one ends it.

Pure, as protocols are: the time comes in, and when to look again comes out.
"""

from collections.abc import Iterator

from devicehub.wire.framer import Frame, Framer, HeadedFramer

REST_WITHIN = 0.5
"""Seconds. USB adapters and radio links pause for a tenth of it within a frame; people and most polls for longer."""


class Patience:
    """Gives up what a `HeadedFramer` waits for when nothing came for `within` seconds.

    A frame between delimiters needs none of it: the next delimiter ends what was begun.
    """

    def __init__(self, framer: Framer, within: float = REST_WITHIN) -> None:
        self._framer = framer
        self._headed = framer if isinstance(framer, HeadedFramer) else None
        self._within = within
        self.wake_at: float | None = None

    def feed(self, now: float, data: bytes) -> Iterator[Frame]:
        """As `Framer.feed`. Bytes that come late are still the rest: only `on_timer` gives it up."""
        yield from self._framer.feed(data)
        self.wake_at = now + self._within if self._headed is not None and self._headed.waits else None

    def on_timer(self, now: float) -> Iterator[Frame]:
        """What is there of a frame is given up, if it is time: see `HeadedFramer.give_up`."""
        if self._headed is None or self.wake_at is None or now < self.wake_at:
            return
        self.wake_at = None
        yield from self._headed.give_up()
