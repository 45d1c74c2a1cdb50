"""Watches a running hub's alarm path: for the service manager, and for whoever asks over HTTP."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from devicehub.clock import Clock, clock_quality
from devicehub.health import Figures
from devicehub.observe.listener import Answer, Answers
from devicehub.observe.metrics import CONTENT_TYPE, metrics
from devicehub.observe.vital import Flow, Pulse, conditions

_log = logging.getLogger(__name__)

EVERY: Final = 1.0
STOPS: Final = "the alarm path is dead: no synthetic value came out as an edge; the watchdog is not fed any more"


class Watch:
    """One for a run of a hub."""

    def __init__(self, figures: Callable[[], Figures | None], clock: Clock, tell: Callable[..., None]) -> None:
        """`figures`: how it stands with the hub, None before it has begun. `tell`: see `Notifier.tell`."""
        self._figures = figures
        self._clock = clock
        self._tell = tell
        self._pulse = Pulse()
        self._flow = Flow()
        self._moves = True
        self._ready = False
        self.alive = False

    async def run(self) -> None:
        """Look every second, for ever. Ready is told with the first synthetic value that came out; see `Pulse`."""
        while True:
            self._look()
            await self._clock.sleep(EVERY)

    def answers(self) -> Answers:
        """What is answered to whom, by path."""
        return {"/metrics": self._metrics, "/livez": self._livez, "/readyz": self._readyz}

    async def stopping(self, stop: asyncio.Event) -> None:
        """Tell the service manager when the hub begins to end."""
        await stop.wait()
        self._tell("STOPPING=1")

    def _look(self) -> None:
        figures = self._figures()
        alive = figures is not None and self._pulse.beats(figures.gauges.alarms, figures.now)
        self._moves = figures is None or self._flow.moves(
            figures.depths.streams, figures.now, connected=figures.gauges.connected
        )
        if self.alive and not alive:
            _log.critical(STOPS)
        elif alive and self._ready and not self.alive:
            _log.warning("the alarm path works again")
        self.alive = alive
        if not alive:
            return
        if self._ready:
            self._tell("WATCHDOG=1")
        else:
            self._ready = True
            _log.info("the alarm path works: the first synthetic value came out as an edge")
            self._tell("READY=1", "WATCHDOG=1", "STATUS=devices are read, alarms are raised")

    def _metrics(self) -> Answer:
        figures = self._figures()
        if figures is None:
            return Answer(503, "the hub has not begun\n")
        return Answer(200, metrics(figures, clock_quality(), alive=self.alive), CONTENT_TYPE)

    def _livez(self) -> Answer:
        if self.alive:
            return Answer(200, "ok\n")
        return Answer(503, f"{STOPS if self._ready else 'no synthetic value has come out as an edge yet'}\n")

    def _readyz(self) -> Answer:
        figures = self._figures()
        if figures is None:
            return Answer(503, "the hub has not begun\n")
        found = conditions(figures.gauges, alive=self.alive, moves=self._moves)
        text = "".join(f"ok   {one.name}\n" if one.met else f"FAIL {one.name}: {one.why}\n" for one in found)
        return Answer(200 if all(one.met for one in found) else 503, text)
