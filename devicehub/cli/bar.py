"""How far long work is: a bar for a person who waits at a terminal, JSON lines for a program, nothing in a pipe."""

import json
import sys
from typing import Final

_WIDTH: Final = 32


class Bar:
    """One line on standard error that fills, and is gone in the end; as JSON a line there for each percent."""

    def __init__(self, title: str, total: int, *, wanted: bool = True, as_json: bool = False) -> None:
        """`total`: of what `reach` counts. `wanted` False: what is printed meanwhile stands on the same terminal."""
        self._json = as_json
        self._title = title
        self._total = max(total, 1)
        self._shown = -1
        self._wanted = as_json or (wanted and sys.stderr.isatty())

    def reach(self, done: int) -> None:
        """So far it has come; drawn anew when a percent is full."""
        share = min(done * 100 // self._total, 100)
        if not self._wanted or share == self._shown:
            return
        self._shown = share
        if self._json:
            print(json.dumps({"progress": self._title, "percent": share}), file=sys.stderr, flush=True)
        else:
            self._draw(share)

    def _draw(self, share: int) -> None:
        filled = share * _WIDTH // 100
        print(
            f"\r{self._title} [{'#' * filled}{'-' * (_WIDTH - filled)}] {share:3d} %",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def reach_of(self, done: int, total: int) -> None:
        """The same, where only the work itself knows how much there is."""
        self._total = max(total, 1)
        self.reach(done)

    def end(self) -> None:
        """Take the line away."""
        if self._shown >= 0 and not self._json:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._shown = -1
