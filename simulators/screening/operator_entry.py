"""An operator with a metal detector, simulated: he sweeps people and enters what he found."""

import json
from random import Random


class Operator:
    """Makes entries, each a JSON object.

    Verbs: `demo` (a person every 15 s, something on one in eight); `enter(outcome, item, reading, finding)`.
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
        else:
            raise ValueError(f"operator_entry has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the entries made since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 15.0
            self._sweep()
        entries, self._entries = self._entries, []
        return entries

    def _sweep(self) -> None:
        self._seen += 1
        item = f"person-{self._seen}"
        if self._seen % 8 == 0:
            shown = f"{self._random.uniform(5, 9):.1f}"
            self.do("enter", outcome="alarm", item=item, finding="metal", reading=shown, note="left pocket")
        else:
            self.do("enter", outcome="clear", item=item, reading=f"{self._random.uniform(0, 2):.1f}")


SIMULATOR = Operator
