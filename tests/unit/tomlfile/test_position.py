"""The places of keys in TOML texts, checked against `tomllib`: same paths, and the key's text stands at its place."""

import json
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.tomlfile.position import KeyPath, Position, key_positions


def at(text: str, *path: str | int) -> tuple[int, int]:
    position = key_positions(text)[path]
    return position.line, position.column


def test_a_key_stands_where_its_first_character_stands() -> None:
    text = 'a = 1\n\n# comment with b = 2\n[hub]\n  site = "x"  # y = 3\n'
    assert at(text, "a") == (1, 1)
    assert at(text, "hub") == (4, 2)
    assert at(text, "hub", "site") == (5, 3)
    assert set(key_positions(text)) == {(), ("a",), ("hub",), ("hub", "site")}


def test_arrays_of_tables_are_counted_and_nested_ones_belong_to_the_newest() -> None:
    text = "[[a]]\nx = 1\n[[a]]\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n[a.c]\nz = 1\n"
    assert at(text, "a", 0, "x") == (2, 1)
    assert at(text, "a", 1) == (3, 3)
    assert at(text, "a", 1, "b", 1, "y") == (7, 1)
    assert at(text, "a", 1, "c", "z") == (9, 1)


def test_dotted_and_quoted_keys_stand_at_each_part() -> None:
    text = 'a . "b.c" . \'d\' = 1\n"\\u0078" = 2\n'
    assert at(text, "a") == (1, 1)
    assert at(text, "a", "b.c") == (1, 5)
    assert at(text, "a", "b.c", "d") == (1, 13)
    assert at(text, "x") == (2, 1)


def test_inline_tables_and_arrays_are_entered() -> None:
    text = "k = { a = 1, b = [10, { c = 2 }], d.e = 3 }\n"
    assert at(text, "k", "b", 1, "c") == (1, 25)
    assert at(text, "k", "b", 0) == (1, 19)
    assert at(text, "k", "d", "e") == (1, 37)


def test_strings_hide_what_looks_like_toml() -> None:
    text = 'a = """\n[b]\nc = 1 \\""" ""\n"""\nd = \'\'\'\n]]\'\'\'\'\'\ne = "x # \\" [y]"\nf = 1\n'
    tomllib.loads(text)
    assert set(key_positions(text)) == {(), ("a",), ("d",), ("e",), ("f",)}
    assert at(text, "f") == (8, 1)


def test_an_array_over_several_lines_may_hold_comments() -> None:
    text = "a = [ # first ]\n  1, # second ,\n  2,\n]\nb = 1\n"
    assert at(text, "a", 1) == (3, 3)
    assert at(text, "b") == (5, 1)


def test_windows_line_ends_count_once() -> None:
    assert at("a = 1\r\n[b]\r\nc = 2\r\n", "b", "c") == (3, 1)


def test_an_explicit_table_stands_over_the_one_implied_before() -> None:
    assert at("[a.b]\nx = 1\n[a]\ny = 1\n", "a") == (3, 2)


KEY = st.one_of(
    st.text("abcXYZ019_-", min_size=1, max_size=6),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5),
)
SCALAR = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12),
)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=12
)
TABLES = st.dictionaries(KEY, VALUE, max_size=5)
Tree = dict[str, object] | list[object]


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


class Writer:
    """Writes values as TOML in a style that `draw` chooses: spacing, quoting, tables, dots, comments."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def _choose(self, *choices: str) -> str:
        return self._data.draw(st.sampled_from(choices))

    def document(self, table: dict[str, object], path: tuple[str, ...] = ()) -> str:
        plain, nested = [], []
        for name, value in table.items():
            if isinstance(value, dict) and self._choose("table", "inline") == "table":
                nested.append(self._header((*path, name), "[", "]") + self.document(value, (*path, name)))
            elif self._is_tables(value) and self._choose("tables", "inline") == "tables":
                nested.extend(
                    self._header((*path, name), "[[", "]]") + self.document(one, (*path, name))
                    for one in value  # type: ignore[attr-defined]  # a list, by _is_tables
                )
            else:
                plain.append(self._line(name, value))
        return "".join(plain + nested)

    @staticmethod
    def _is_tables(value: object) -> bool:
        return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)

    def _header(self, path: tuple[str, ...], left: str, right: str) -> str:
        dot = self._choose(".", " . ")
        return f"{self._choose('', '  ')}{left}{dot.join(map(self._key, path))}{right}{self._end()}"

    def _end(self) -> str:
        return self._choose("\n", "\r\n", " # [x] = {'\"\n", "\n\n\t\n")

    def _line(self, name: str, value: object) -> str:
        if isinstance(value, dict) and len(value) == 1 and self._choose("dotted", "inline") == "dotted":
            return f"{self._key(name)}.{self._line(*next(iter(value.items())))}"
        return f"{self._key(name)}{self._choose('=', ' = ')}{self.value(value)}{self._end()}"

    def _key(self, name: str) -> str:
        bare = bool(name) and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
        if bare and self._choose("bare", "quoted") == "bare":
            return name
        literal = all(letter.isprintable() and letter != "'" for letter in name)
        return f"'{name}'" if literal and self._choose("literal", "basic") == "literal" else _escaped(name)

    def value(self, value: object) -> str:
        match value:
            case bool():
                return str(value).lower()
            case int() | float():
                return repr(value)
            case str():
                return self._text(value)
            case list():
                gap = self._choose("", "\n", " # ],\n")
                return "[" + gap + ("," + gap).join(map(self.value, value)) + gap + "]"
            case dict():
                return "{ " + ", ".join(f"{self._key(name)} = {self.value(one)}" for name, one in value.items()) + " }"
        raise AssertionError(value)

    def _text(self, text: str) -> str:
        if all(letter.isprintable() and letter != "'" for letter in text):
            return self._choose(_escaped(text), f"'{text}'", f"'''\n{text}'''", f'"""{_escaped(text)[1:-1]}"""')
        return _escaped(text)


def paths(value: object, path: KeyPath = ()) -> set[KeyPath]:
    found = {path}
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found |= paths(one, (*path, key))
    return found


@settings(deadline=None, max_examples=300)
@given(table=TABLES, data=st.data())
def test_every_path_that_tomllib_reads_has_a_place_and_no_other(table: dict[str, object], data: st.DataObject) -> None:
    text = Writer(data).document(table)
    read = tomllib.loads(text)
    found = key_positions(text)
    assert set(found) == paths(read), text
    lines = text.replace("\r\n", "\n").split("\n")
    for path, position in found.items():
        check_place(lines, path, position)


def check_place(lines: list[str], path: KeyPath, position: Position) -> None:
    """At the place of a key stands the key, bare or quoted: a TOML parser reads it back from there."""
    rest = lines[position.line - 1][position.column - 1 :]
    if not path or isinstance(path[-1], int):
        assert rest or not path
        return
    if rest[0] in "\"'":
        end = 1
        while not _is_key(rest[:end], path[-1]):
            end += 1
            assert end <= len(rest), (rest, path)
    else:
        assert rest.startswith(path[-1])


def _is_key(text: str, name: str) -> bool:
    try:
        return tomllib.loads(f"{text} = 1") == {name: 1}
    except tomllib.TOMLDecodeError:
        return False


def test_a_thousand_tables_are_scanned_in_one_pass() -> None:
    text = "".join(f"[[device]]\nid = 'd{number}'\n" for number in range(1000))
    found = key_positions(text)
    assert found["device", 999, "id"] == Position(2000, 1)
