"""Conditions on fields: `{ report = 0xc5, status = [0, 1], version = { prefix = "GMC-3" } }`; all must hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

Values = Mapping[str, object]
Test = Callable[[object], bool]
KINDS = frozenset({"prefix", "from", "to", "mask", "is", "not"})


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests by field; a field that is missing passes none."""

    tests: tuple[tuple[str, Test], ...]
    exact: Mapping[str, object]

    def __call__(self, values: Values) -> bool:
        """Whether all hold."""
        holds = True
        for name, test in self.tests:  # no generator: this is asked for every frame, several times
            if name not in values or not test(values[name]):
                holds = False
                break
        return holds

    @property
    def names(self) -> frozenset[str]:
        """The fields that are looked at."""
        return frozenset(name for name, _ in self.tests)


def parse_condition(table: Mapping[str, object]) -> Condition:
    """Read a table of fields and what they must be. Raises `ValueError` in plain words."""
    tests = tuple((name, _test(name, wanted)) for name, wanted in table.items())
    return Condition(tests, {name: example(wanted) for name, wanted in table.items()})


def example(wanted: object) -> object:
    """A value that passes."""
    if isinstance(wanted, list):
        return wanted[0]
    if isinstance(wanted, dict):
        return next((wanted[key] for key in ("prefix", "from", "is", "to") if key in wanted), 0)
    return wanted


def _test(name: str, wanted: object) -> Test:
    if isinstance(wanted, list):
        if not wanted:
            raise ValueError(f"{name} = []: nothing is one of none")
        choices = list(map(_plain, wanted))
        return lambda value: _plain(value) in choices
    if isinstance(wanted, dict):
        return _table(name, cast(Mapping[str, object], wanted))
    if isinstance(wanted, int | float):
        return lambda value: value == wanted
    return lambda value: _plain(value) == wanted


def _plain(value: object) -> object:
    """Bytes compare with text, as they are written."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _table(name: str, table: Mapping[str, object]) -> Test:
    if not table or not set(table) <= KINDS:
        raise ValueError(f"{name}: must be a value, a list of values or a table of {', '.join(sorted(KINDS))}")
    parts = list(_parts(table))
    return parts[0] if len(parts) == 1 else lambda value: all(part(value) for part in parts)


def _parts(table: Mapping[str, object]) -> Iterable[Test]:
    if "prefix" in table:
        prefixes = table["prefix"] if isinstance(table["prefix"], list) else [table["prefix"]]
        begins = tuple(map(str, prefixes))
        yield lambda value: (value if isinstance(value, str) else str(_plain(value))).startswith(begins)
    if "from" in table or "to" in table:
        low, high = _bound(table, "from", float("-inf")), _bound(table, "to", float("inf"))
        yield lambda value: isinstance(value, int | float) and low <= value <= high
    if "mask" in table:
        mask, wanted = int(_bound(table, "mask", 0)), table.get("is")
        yield lambda value: isinstance(value, int) and _masked(value & mask, wanted)
    if "not" in table:
        refused = _test("not", table["not"])
        yield lambda value: not refused(value)


def _masked(value: int, wanted: object) -> bool:
    return value != 0 if wanted is None else value == wanted


def _bound(table: Mapping[str, object], key: str, default: float) -> float:
    value = table.get(key, default)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError(f"{key} = {value!r}: must be a number")
