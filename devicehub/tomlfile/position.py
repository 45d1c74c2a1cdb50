"""Where each key of a TOML text stands. `tomllib` gives values without places; error messages need places.

The scanner takes text that `tomllib` has accepted and follows TOML 1.0 only as far as keys, brackets,
quotes and comments go; it reads no values.
"""

import re
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\n]*)'")
# Up to two quotes may stand directly before the closing three.
_MULTILINE = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Line and column in characters, both from 1."""

    line: int
    column: int


def key_positions(text: str) -> dict[KeyPath, Position]:
    """The place of every key and array element; the whole document `()` is at 1:1.

    Elements of arrays are counted from 0, those of arrays of tables too. A table that only appears
    inside a longer key (`[a.b]`, `a.b = 1`) stands where that part of the key stands. The result is
    undefined for text that `tomllib` refuses.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        return chr(int(digits, 16)) if digits else _SHORT.get(match[3], match[3])

    return _ESCAPE.sub(one, text)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._found: dict[KeyPath, Position] = {(): Position(1, 1)}
        self._explicit: set[KeyPath] = set()
        self._counts: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, Position]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at + 1
        return self._at

    def _here(self) -> Position:
        line = self._line_of(self._at)
        return Position(line, self._at - self._starts[line - 1] + 1)

    def _line_of(self, at: int) -> int:
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= at else (low, middle)
        return low + 1

    def _header(self) -> KeyPath:
        several = self._text.startswith("[[", self._at)
        self._at += 2 if several else 1
        parts = self._key()
        self._at += 2 if several else 1
        path: KeyPath = ()
        for name, position in parts[:-1]:
            path = self._last((*path, name))
            self._implied(path, position)
        name, position = parts[-1]
        path = (*path, name)
        if several:
            self._implied(path, position)
            self._counts[path] = self._counts.get(path, -1) + 1
            path = self._last(path)
        self._define(path, position)
        return path

    def _last(self, path: KeyPath) -> KeyPath:
        """The newest element, where `path` is an array of tables."""
        return (*path, self._counts[path]) if path in self._counts else path

    def _implied(self, path: KeyPath, position: Position) -> None:
        self._found.setdefault(path, position)

    def _define(self, path: KeyPath, position: Position) -> None:
        """An explicit definition stands over an implied one."""
        if path not in self._explicit:
            self._explicit.add(path)
            self._found[path] = position

    def _pair(self, table: KeyPath) -> None:
        path = table
        parts = self._key()
        for name, position in parts[:-1]:
            path = (*path, name)
            self._implied(path, position)
        path = (*path, parts[-1][0])
        self._define(path, parts[-1][1])
        self._skip(_SPACE)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)
        self._skip(_SPACE)

    def _key(self) -> list[tuple[str, Position]]:
        parts = []
        while True:
            self._skip(_SPACE)
            position = self._here()
            parts.append((self._key_part(), position))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _key_part(self) -> str:
        basic = _BASIC.match(self._text, self._at)
        quoted = basic or _LITERAL.match(self._text, self._at)
        if quoted is not None:
            self._at = quoted.end()
            return _unescape(quoted[1]) if basic else quoted[1]
        start = self._at
        return self._text[start : self._skip(_BARE_KEY)]

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif self._text.startswith(('"""', "'''"), self._at):
            self._skip(_MULTILINE)
        elif first in {'"', "'"}:
            self._skip(_BASIC if first == '"' else _LITERAL)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip(_BLANK) < len(self._text) and self._text[self._at] != "]":
            self._define((*path, index), self._here())
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self._at += self._text.startswith(",", self._at)
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_BLANK) < len(self._text) and self._text[self._at] != "}":
            self._pair(path)
            self._skip(_BLANK)
            self._at += self._text.startswith(",", self._at)
        self._at += 1
