"""The ordinates of a JCAMP-DX table, `(X++(Y..Y))`: AFFN and the ASDF forms PAC, SQZ, DIF and DUP.

Each line is an abscissa and ordinates at equal steps from it. A number is written

    AFFN   with a sign or not, fraction, exponent with its sign: 12 -3.5 1.2E+03
    PAC    AFFN numbers that their signs keep apart: +12-3+4
    SQZ    the first digit with its sign as a letter: @ is 0, A..I are 1..9, a..i are -1..-9
    DIF    the difference to the one before: % is 0, J..R are 1..9, j..r are -1..-9
    DUP    how often the number before stands there, S..Z are 1..8, s is 9; of a DIF the difference is repeated
    ?      no value

The first ordinate of a line behind one that ended with a difference is the last one of that line again: the Y check.

Source: R. S. McDonald, P. A. Wilks, JCAMP-DX: a standard form for exchange of infrared spectra, Appl. Spectrosc. 42
(1988) 151, version 4.24.
"""

import re
from collections.abc import Iterable
from itertools import accumulate, islice, repeat
from math import isclose, nan

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.defects import Defects, plain

MOST_POINTS = 16_384
MOST_NUMBERS = 2 * MOST_POINTS
"""Of all tables of a file, which is read in one turn: more would hold up other devices."""
_ABSCISSA = re.compile(r"\s*([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:E[+-]\d{1,3})?)", re.ASCII)
_WORD = re.compile(
    r"[\s,;]*(?:(?P<affn>[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:E[+-]\d{1,3})?)"
    r"|(?P<form>[@A-Ia-i%J-Rj-rS-Zs])(?P<digits>\d{0,30}(?:\.\d{0,30})?)|(?P<none>\?))",
    re.ASCII,
)
_END = re.compile(r"[\s,;]*\Z", re.ASCII)
_SQZ = {letter: f"{number}" for number, letter in enumerate("@ABCDEFGHI")} | {
    letter: f"-{number}" for number, letter in enumerate("abcdefghi", 1)
}
_DIF = {letter: f"{number}" for number, letter in enumerate("%JKLMNOPQR")} | {
    letter: f"-{number}" for number, letter in enumerate("jklmnopqr", 1)
}
_DUP = {letter: f"{number}" for number, letter in enumerate("STUVWXYZs", 1)}


class Ordinates:
    """The values of one table. `abscissae`: of each line, with how many values stood before it.

    `numbers`: how many were written, in this table and in those of the same file before it.
    """

    def __init__(self, numbers: int = 0) -> None:
        self.values: list[float] = []
        self.abscissae: list[tuple[int, float]] = []
        self.numbers = numbers
        self._difference: float | None = None
        self._checked = False

    def read(self, lines: Iterable[tuple[int, str]]) -> None:
        """Take lines with their numbers. Raises `ProtocolError`, which names the line."""
        for number, line in lines:
            try:
                self._line(line)
            except ProtocolError as error:
                raise ProtocolError(error.reason, f"line {number}: {error.detail}") from None

    def _line(self, line: str) -> None:
        first = _ABSCISSA.match(line)
        if first is None:
            raise ProtocolError(Reason.CORRUPT, f"'{plain(line, 30)}' does not begin with an abscissa")
        at, self._checked = first.end(), self._difference is not None
        self.abscissae.append((len(self.values) - self._checked, float(first[1])))
        while at < len(line):
            word = _WORD.match(line, at)
            if word is None:
                if _END.match(line, at):
                    return
                raise ProtocolError(Reason.CORRUPT, f"'{plain(line[at : at + 30])}' is no ordinate")
            self.numbers += 1
            if self.numbers > MOST_NUMBERS:
                raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_NUMBERS} numbers in one file")
            self._take(word)
            at = word.end()

    def _take(self, word: re.Match[str]) -> None:
        form, digits = word["form"] or "", word["digits"] or ""
        if form in _DUP and form:
            self._repeat(int(float(_DUP[form] + digits)))
        elif form in _DIF and form:
            if not self.values or self._checked:
                raise ProtocolError(Reason.CORRUPT, "a difference to nothing")
            self._difference = float(_DIF[form] + digits)
            self._put(self.values[-1] + self._difference)
        else:
            value = nan if word["none"] else float(word["affn"] or _SQZ[form] + digits)
            self._value(value)

    def _value(self, value: float) -> None:
        """A number by itself: the check, where one is due."""
        due, self._checked, self._difference = self._checked, False, None
        if not due:
            self._put(value)
        elif not isclose(value, self.values[-1], abs_tol=1e-9):
            raise ProtocolError(Reason.CHECKSUM, f"Y check: {value:g} instead of {self.values[-1]:g}")

    def _repeat(self, times: int) -> None:
        if not self.values or self._checked or times < 1:
            raise ProtocolError(Reason.CORRUPT, "a repetition of nothing")
        if len(self.values) + times > MOST_POINTS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_POINTS} points")
        last, more = self.values[-1], repeat(self._difference or 0.0, times - 1)
        self.values.extend(islice(accumulate(more, initial=last), 1, None))

    def _put(self, value: float) -> None:
        if len(self.values) >= MOST_POINTS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_POINTS} points")
        self.values.append(value)


def check_abscissae(table: Ordinates, start: float, step: float, factor: float, defects: Defects) -> bool:
    """Whether each line begins where its number of values says, to within a step."""
    for before, shown in table.abscissae:
        expected = start + step * before
        if abs(shown * factor - expected) > abs(step) * 1.01:
            defects.add(f"X check: a line begins at {shown * factor:g} instead of {expected:g}")
            return False
    return True
