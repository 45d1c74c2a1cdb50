"""Ion-mobility detector whose software exports each run as a JCAMP-DX file, simulated.

A plasmagram: a reactant-ion peak and, with a sample, a second one; noise; 12-bit counts. The writer is this module's
own, from the published forms: each file takes the next of AFFN, PAC, SQZ, DIF and DIFDUP.
"""

import math
from datetime import UTC, datetime
from random import Random

POINTS = 300
FIRST, STEP = 2.0, 0.05  # ms
A_LINE = 20
FORMS = ("affn", "pac", "sqz", "dif", "difdup")
FAULTS = ("check", "points", "none")
EPOCH = 1767225600  # its clock at power-up: 2026-01-01
_POSITIVE = {"sqz": "@ABCDEFGHI", "dif": "%JKLMNOPQR"}
_NEGATIVE = {"sqz": " abcdefghi", "dif": " jklmnopqr"}
_TIMES = " STUVWXYZs"


class Detector:
    """Leaves RUN0001.jdx, RUN0002.jdx, ...

    Verbs: `demo` (a run every 15 s, a sample in every third); `run` with an optional `form`: affn, pac, sqz, dif or
    difdup; `sample(at, height)`: a peak at a drift time in ms; `clear`; `fault(kind)` for the next file: check (a
    Y check fails), points (NPOINTS is wrong), or none.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._time = 0.0
        self._next: float | None = None
        self._runs = 0
        self._sample: tuple[float, float] | None = None
        self._fault = "none"
        self._files: list[tuple[str, bytes]] = []

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next = self._time + 5.0
        elif verb == "run" and values.get("form", "affn") in FORMS:
            self._run(str(values.get("form", "affn")))
        elif verb == "sample":
            self._sample = (float(values["at"]), float(values["height"]))
        elif verb == "clear":
            self._sample = None
        elif verb == "fault" and values["kind"] in FAULTS:
            self._fault = str(values["kind"])
        else:
            raise ValueError(f"jcamp_dx has no verb '{verb}' {values}")

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the files written since the last call."""
        self._time += dt
        while self._next is not None and self._time >= self._next:
            self._next += 15.0
            self._sample = (8.4, 900.0) if self._runs % 3 == 2 else None
            self._run(FORMS[self._runs % len(FORMS)])
        files, self._files = self._files, []
        return files

    def counts(self) -> list[int]:
        """What the detector sees."""
        peaks = [(6.0, 1500.0), *([self._sample] if self._sample else [])]
        out = []
        for index in range(POINTS):
            at = FIRST + STEP * index
            height = sum(top * math.exp(-(((at - where) / 0.12) ** 2)) for where, top in peaks)
            out.append(max(0, round(height + self._random.gauss(20, 1.5))))
        return out

    def _run(self, form: str) -> None:
        fault, self._fault = self._fault, "none"
        self._runs += 1
        counts = self.counts()
        when = datetime.fromtimestamp(EPOCH + self._time, UTC).strftime("%Y/%m/%d %H:%M:%S +0000")
        head = (
            f"##TITLE=run {self._runs}\n##JCAMP-DX=5.01 $$ simulated\n##DATA TYPE=ION MOBILITY SPECTRUM\n"
            f"##ORIGIN=simulated\n##OWNER=nobody\n##LONGDATE={when}\n##XUNITS=MILLISECONDS\n##YUNITS=COUNTS\n"
            f"##FIRSTX={FIRST}\n##LASTX={FIRST + STEP * (POINTS - 1):.6g}\n##FIRSTY={counts[0]}\n"
            f"##NPOINTS={POINTS + (fault == 'points')}\n##XFACTOR=0.01\n##YFACTOR=1\n##.POLARITY=NEGATIVE\n"
            "##XYDATA=(X++(Y..Y))\n"
        )
        lines = [_line(counts, at, form, broken=fault == "check") for at in range(0, POINTS, A_LINE)]
        self._files.append((f"RUN{self._runs:04d}.jdx", (head + "\n".join(lines) + "\n##END=\n").encode()))


def _line(counts: list[int], at: int, form: str, *, broken: bool) -> str:
    """One line; behind one of differences it begins with the last value of that line again."""
    abscissa = f"{(FIRST + STEP * at) / 0.01:.0f}"
    here = counts[at : at + A_LINE]
    if form == "affn":
        return abscissa + "".join(f" {count}" for count in here)
    if form == "pac":
        return abscissa + "".join(f"{count:+d}" for count in here)
    if form == "sqz":
        return abscissa + "".join(_letters(count, "sqz") for count in here)
    before = counts[at - 1] if at else here[0]
    words = [_letters(before + (broken and at > 0), "sqz")] if at else [_letters(here[0], "sqz")]
    rest = here if at else here[1:]
    for value in rest:
        words.append(_letters(value - before, "dif"))
        before = value
    return abscissa + "".join(repeated(words) if form == "difdup" else words)


def _letters(value: int, form: str) -> str:
    digits = str(abs(value))
    return (_NEGATIVE if value < 0 else _POSITIVE)[form][int(digits[0])] + digits[1:]


def repeated(words: list[str]) -> list[str]:
    """Equal words in a row become one and their number; the first is the check and never repeated."""
    out = words[:1]
    at = 1
    while at < len(words):
        run = 1
        while at + run < len(words) and words[at + run] == words[at] and run < 9:
            run += 1
        out += [words[at], *([_TIMES[run]] if run > 1 else [])]
        at += run
    return out


SIMULATOR = Detector
