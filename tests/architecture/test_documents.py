"""README.md says what the code says."""

import importlib.util
from functools import cache
from types import ModuleType

import pytest

from devicehub.registry import driver_names
from tests.architecture.tree import ROOT

REMEDY = "run: python docs/generate.py"
README = ROOT / "README.md"


@cache
def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_what_the_code_generates() -> None:
    text = README.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY


def test_every_part_is_in_the_readme_once() -> None:
    text = README.read_text(encoding="utf-8")
    counts = {name: text.count(f"<!-- generated: {name} -->") for name in _generator().PARTS}
    assert set(counts.values()) == {1}, counts


def test_a_part_that_differs_is_noticed() -> None:
    text = "<!-- generated: commands -->\nold\n<!-- end -->\nkept"
    new = _generator().generated(text)
    assert new != text
    assert new.endswith("<!-- end -->\nkept")


@pytest.mark.parametrize(
    ("driver", "level"),
    [
        ("thermal.seek_compact", "recording"),
        ("thermal.flir_rjpeg", "recording"),
        ("scanner.zebra_ssi", "published"),
        ("trace.ims_reference", "simulated"),
    ],
)
def test_the_evidence_of_a_driver_is_what_its_tests_rest_on(driver: str, level: str) -> None:
    assert _generator().evidence(driver) == level


def test_every_driver_is_in_the_table() -> None:
    table = "\n".join(_generator().equipment())
    assert [name for name in driver_names() if f"`{name}`" not in table] == []
