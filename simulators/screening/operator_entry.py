"""An operator with a metal detector, simulated: he sweeps people and enters what he found."""

import json
from random import Random

RINGS = 3.0
"""Signal from which on the detector rings."""


class Operator:
    """Makes entries, each a JSON object.

    Verbs: `demo` (a person every 15 s, something on one in eight); `enter(outcome, item, reading, finding)`;
    `metal(signal)`: a person is swept, and the detector shows that signal, from 0 to 10.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._time = 0.0
        self._next: float | None = None
        self._seen = 0
        self._entries: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 5.0
        elif verb == "enter":
            self._entries.append(("", json.dumps(values).encode()))
        elif verb == "metal":
            self._sweep(float(values["signal"]))
        else:
            raise ValueError(f"operator_entry has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the entries made since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 15.0
            rings = self._seen % 8 == 7
            self._sweep(self._random.uniform(5, 9) if rings else self._random.uniform(0, 2))
        entries, self._entries = self._entries, []
        return entries

    def _sweep(self, signal: float) -> None:
        self._seen += 1
        told = {"item": f"person-{self._seen}", "reading": f"{signal:.1f}"}
        if signal >= RINGS:
            self.do("enter", outcome="alarm", finding="metal", note="left pocket", **told)
        else:
            self.do("enter", outcome="clear", **told)


SIMULATOR = Operator
