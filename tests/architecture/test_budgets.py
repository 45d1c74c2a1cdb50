"""Sizes and names. A soft limit may be passed by what is listed here with its reason; a hard limit by nothing."""

import ast
import re

from tests.architecture.tree import EVERYTHING, PRODUCT, Function, sources

MODULE_SOFT, MODULE_HARD = 300, 400
FUNCTION_SOFT, FUNCTION_HARD = 40, 60
PUBLIC_METHODS = 10

LONG_MODULES = {
    "devicehub/model/reading.py": "everything that a protocol can say, read as one table",
    "devicehub/model/payload.py": "one definition of everything that is published, read as one table",
}
LONG_FUNCTIONS: dict[str, str] = {}

BANNED = frozenset({"Manager", "Handler", "Helper", "Helpers", "Util", "Utils", "Base", "Service", "Data"})
PAYLOADS = {
    f"devicehub/model/payload{part}.py"
    for part in (
        "",
        "_alarm",
        "_command",
        "_frame",
        "_health",
        "_inspection",
        "_lane",
        "_preflight",
        "_result",
        "_stored",
        "_texts",
    )
}


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_modules_are_short() -> None:
    lengths = {source.name: len(source.text.splitlines()) for source in sources(*EVERYTHING)}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_HARD} == {}
    long = {name for name, lines in lengths.items() if lines > MODULE_SOFT}
    assert long == set(LONG_MODULES), "split it, or list it with a reason; take what is short again off the list"


def test_functions_are_short() -> None:
    lengths = {
        f"{source.name}:{function.name}": _length(function)
        for source in sources(*EVERYTHING)
        for function in source.functions()
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_HARD} == {}
    long = {name for name, lines in lengths.items() if lines > FUNCTION_SOFT}
    assert long == set(LONG_FUNCTIONS), "split it, or list it with a reason; take what is short again off the list"


def test_classes_have_few_public_methods() -> None:
    counts = {
        f"{source.name}:{node.name}": sum(
            isinstance(member, Function) and not member.name.startswith("_") for member in node.body
        )
        for source in sources(*PRODUCT)
        for node in source.classes()
    }
    assert {name: count for name, count in counts.items() if count > PUBLIC_METHODS} == {}


def test_no_class_has_a_name_that_says_nothing() -> None:
    """A class that extends a foreign `...Handler` (logging, socketserver) may keep that word."""
    found = []
    for source in sources(*EVERYTHING):
        for node in source.classes():
            words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z0-9]*|[A-Z]+", node.name)
            bases = {base.attr for base in node.bases if isinstance(base, ast.Attribute)}
            bad = BANNED & {words[0], words[-1]} if words else set()
            inherited = {word for word in bad if any(base.endswith(word) for base in bases)}
            allowed = {"Data"} if source.name in PAYLOADS else set()
            if bad - inherited - allowed:
                found.append(f"{source.name}:{node.name}")
    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    banned = {word.lower() for word in BANNED}
    found = [source.name for source in sources(*EVERYTHING) if banned & set(source.path.stem.lower().split("_"))]
    assert found == []
