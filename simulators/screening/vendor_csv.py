"""A density meter's software, simulated: it exports a CSV file of what was screened since the last one."""

from datetime import UTC, datetime
from random import Random

EPOCH = 1767225600  # its clock at power-up: 2026-01-01
USUAL = 12.0
DENSE = 20.0
"""More than the usual density by that much is a finding."""
HEADER = "time,item,verdict,finding,reading,note"


class Export:
    """Leaves export-0001.csv, ...

    Verbs: `demo` (three screenings every 20 s, one in ten with something); `screen(reading, finding)`; `export`;
    `density(step)`: a panel is screened that is denser than usual by that much, and exported at once.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._time = 0.0
        self._next: float | None = None
        self._rows: list[str] = []
        self._screened = 0
        self._exported = 0
        self._files: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 10.0
        elif verb == "screen":
            self._screen(float(values["reading"]), str(values.get("finding", "")))
        elif verb == "export":
            self._export()
        elif verb == "density":
            step = float(values["step"])
            self._screen(USUAL + step, "dense" if step >= DENSE else "")
            self._export()
        else:
            raise ValueError(f"vendor_csv has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the files written since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 20.0
            for _ in range(3):
                dense = self._random.random() < 0.1
                self._screen(
                    self._random.gauss(65, 3) if dense else self._random.gauss(USUAL, 2), "dense" if dense else ""
                )
            self._export()
        files, self._files = self._files, []
        return files

    def _screen(self, reading: float, finding: str) -> None:
        self._screened += 1
        when = datetime.fromtimestamp(EPOCH + self._time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        verdict = "alarm" if finding else "clear"
        self._rows.append(f"{when},panel {self._screened},{verdict},{finding},{reading:.1f},")

    def _export(self) -> None:
        self._exported += 1
        text = "\r\n".join([HEADER, *self._rows, ""])
        self._rows = []
        self._files.append((f"export-{self._exported:04d}.csv", text.encode()))


SIMULATOR = Export
