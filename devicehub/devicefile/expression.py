"""Arithmetic on fields: `(a + b * 256) / 100`. Parsed once into closures; there is no `eval`.

Numbers, names of fields, `+ - * / // % & | ^ << >>`, a minus sign and parentheses: nothing else. Names are those of
numeric fields that were decoded before. A division by zero, a shift by more than 64, a field that is missing or is
no number is a `ProtocolError`: the bytes were wrong, not the file.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Final

from devicehub.model.errors import ProtocolError, Reason

Number = int | float
Values = Mapping[str, object]
NUMBERS: Final = (int, float)  # `int | float` would be made anew each time that it is asked for
LONGEST: Final = 200
_SHIFT_MOST: Final = 64


def _left(a: Number, b: Number) -> Number:
    return int(a) << _shift(b)


def _right(a: Number, b: Number) -> Number:
    return int(a) >> _shift(b)


def _shift(by: Number) -> int:
    if not 0 <= by <= _SHIFT_MOST:
        raise ProtocolError(Reason.RANGE, f"shift by {by}")
    return int(by)


_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Number, Number], Number]]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
        ast.BitAnd: lambda a, b: int(a) & int(b),
        ast.BitOr: lambda a, b: int(a) | int(b),
        ast.BitXor: lambda a, b: int(a) ^ int(b),
        ast.LShift: _left,
        ast.RShift: _right,
    }
)
_Closure = Callable[[Values], Number]


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that was read. `names`: the fields that it needs."""

    text: str
    names: frozenset[str]
    _value: _Closure

    def __call__(self, values: Values) -> Number:
        """Its value. Raises `ProtocolError`."""
        try:
            return self._value(values)
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            raise ProtocolError(Reason.RANGE, f"{self.text}: {error}") from None

    def whole(self, values: Values) -> int:
        """Its value without a fraction; that of a field alone is looked up. Raises `ProtocolError`."""
        found = values.get(self.text)
        value = found if isinstance(found, NUMBERS) else self(values)
        if isinstance(value, int):
            return value
        if not isfinite(value):
            raise ProtocolError(Reason.RANGE, f"{self.text} = {value}")
        return int(value)


def parse_expression(text: str) -> Expression:
    """Read a formula. Raises `ValueError` in plain words."""
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("not a formula of numbers, fields, + - * / // % & | ^ << >> and parentheses") from None
    names: set[str] = set()
    closure = _compiled(tree, names)
    return Expression(text, frozenset(names), closure)


def _compiled(node: ast.expr, names: set[str]) -> _Closure:
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            number: Number = constant
            return lambda _: number
        case ast.Name(id=name):
            names.add(name)
            return _field(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compiled(operand, names)
            return lambda values: -inner(values)
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            return _chain(node, names)
        case _:
            raise ValueError(f"'{ast.unparse(node)}' is no arithmetic on fields")


def _chain(node: ast.expr, names: set[str]) -> _Closure:
    """From left to right: `a + b + c` is one loop, not a call within a call."""
    rest: list[tuple[Callable[[Number, Number], Number], _Closure]] = []
    while isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        rest.insert(0, (_OPERATORS[type(node.op)], _compiled(node.right, names)))
        node = node.left
    first = _compiled(node, names)

    def value(values: Values) -> Number:
        number = first(values)
        for apply, operand in rest:
            number = apply(number, operand(values))
        return number

    return value


def _field(name: str) -> _Closure:
    def value(values: Values) -> Number:
        found = values.get(name)
        if isinstance(found, NUMBERS):
            return found
        raise ProtocolError(Reason.CORRUPT, f"{name} is no number here")

    return value
