"""Nothing outlives its owner: modules hold constants, never state."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import PRODUCT, Source, sources

MUTATORS = frozenset(
    {"append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault", "add", "discard"}
    | {"appendleft", "extendleft", "popleft", "sort", "reverse", "intersection_update", "difference_update"}
)
MUTABLE_LITERALS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
# What a module may hold besides literals: calls whose result cannot change, and loggers.
IMMUTABLE_CALLS = frozenset(
    {"struct.Struct", "re.compile", "MappingProxyType", "frozenset", "tuple", "range", "bytes", "bytes.fromhex", "Path"}
    | {"TypeVar", "NewType", "logging.getLogger"}
)


def _module_assignments(source: Source) -> Iterator[tuple[str, ast.expr]]:
    for node in source.tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from ((name.id, node.value) for name in ast.walk(target) if isinstance(name, ast.Name))


def _is_constant(name: str) -> bool:
    return name.isupper() or name == "__all__"


def variables(source: Source) -> list[str]:
    """Module-level names that hold something changeable and are not even written as constants."""
    return [
        f"{source.name}:{name}"
        for name, value in _module_assignments(source)
        if not _is_constant(name) and any(map(_is_changeable, _parts(value)))
    ]


def _parts(value: ast.expr) -> list[ast.expr]:
    return value.elts if isinstance(value, ast.Tuple) else [value]


def _is_changeable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) not in IMMUTABLE_CALLS
    return isinstance(value, MUTABLE_LITERALS)


def _touched(node: ast.AST) -> Iterator[ast.expr]:
    """The containers that a statement or call changes."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        yield node.func.value
    elif isinstance(node, ast.Assign | ast.Delete):
        yield from (target.value for target in node.targets if isinstance(target, ast.Subscript))
    elif isinstance(node, ast.AugAssign):
        yield node.target.value if isinstance(node.target, ast.Subscript) else node.target


def changed_constants(source: Source) -> list[str]:
    """Constants, of this module or imported, that are changed here."""
    touched = (name for node in ast.walk(source.tree) for name in _touched(node))
    names = (name.id if isinstance(name, ast.Name) else getattr(name, "attr", "") for name in touched)
    return [f"{source.name}:{name}" for name in names if name.isupper()]


def test_modules_hold_no_variables() -> None:
    assert [name for source in sources(*PRODUCT) for name in variables(source)] == []


def test_constants_are_never_changed() -> None:
    assert [name for source in sources(*PRODUCT) for name in changed_constants(source)] == []


@pytest.mark.parametrize("text", ["seen = []", "cache: dict[str, int] = {}", "queue = asyncio.Queue()", "a, b = [], 1"])
def test_a_module_variable_is_found(text: str, tmp_path: Path) -> None:
    assert variables(_written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "SEEN.append(1)",
        "module.SEEN['a'] = 1",
        "del SEEN[0]",
        "SEEN += [1]",
        "SEEN['a'] += 1",
        "def f():\n    SEEN.add(2)",
    ],
)
def test_a_changed_constant_is_found(text: str, tmp_path: Path) -> None:
    assert changed_constants(_written(tmp_path, text))


def _written(folder: Path, text: str) -> Source:
    path = folder / "module.py"
    path.write_text(text)
    return Source(path)
