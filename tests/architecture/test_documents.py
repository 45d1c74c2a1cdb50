"""README.md and the reference of device files say what the code says."""

import importlib.util
import json
from functools import cache
from types import ModuleType

import pytest

from devicehub.driver import BleLink, SerialLink, UsbLink, VideoLink
from devicehub.model.device import EvidenceLevel
from devicehub.registry import EVIDENCE, driver_names, load_driver
from tests.architecture.tree import ROOT
from tests.evidence import evidence

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


def test_the_reference_of_device_files_is_what_the_code_generates() -> None:
    text = _generator().REFERENCE.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY
    assert text.count("| `zero_is_unchecked` |") == 1


def test_the_table_of_what_damage_drivers_see_is_what_the_code_generates() -> None:
    text = _generator().DAMAGE.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY
    assert text.count("| `scanner.rte_mrz` | exclusive or-8 |") == 1


def test_the_table_of_metrics_is_what_the_code_generates() -> None:
    text = _generator().MONITOR.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY
    assert text.count("| `devicehub_device_up` |") == 1


def test_the_list_of_decisions_is_what_there_is() -> None:
    text = _generator().DECISIONS.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY
    assert text.count("(0025-") == 1


def test_the_manual_page_is_what_the_code_generates() -> None:
    assert _generator().MANUAL.read_text(encoding="utf-8") == _generator().page(), REMEDY


def test_the_table_of_what_drivers_were_read_through_is_what_the_last_run_in_a_machine_wrote() -> None:
    text = _generator().TIERS.read_text(encoding="utf-8")
    assert _generator().generated(text) == text, REMEDY
    on_kernel = [row.split("|")[6] for row in text.splitlines() if row.startswith("| `")]
    assert sum(cell.startswith(" passed ") for cell in on_kernel) >= 8, (
        "fewer drivers on a real kernel than were promised"
    )


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
        ("thermal.seek_compact", "sample-tested"),
        ("thermal.flir_rjpeg", "sample-tested"),
        ("scanner.zebra_ssi", "byte-tested"),
        ("trace.ims_reference", "simulated"),
    ],
)
def test_the_evidence_of_a_driver_is_what_its_tests_rest_on(driver: str, level: str) -> None:
    assert evidence(driver) == level


def test_what_every_installation_knows_of_it_is_the_same() -> None:
    assert (ROOT / "drivers" / EVIDENCE).read_bytes() == _generator().levels(), REMEDY
    assert load_driver("scanner.zebra_ssi").evidence is EvidenceLevel.BYTE_TESTED


def test_every_driver_is_in_the_table() -> None:
    table = "\n".join(_generator().equipment())
    assert [name for name in driver_names() if f"`{name}`" not in table] == []


def test_every_driver_with_a_cable_or_a_radio_was_read_through_a_real_kernel() -> None:
    proved = json.loads((ROOT / "docs" / "reference" / "real-kernel.json").read_text())
    reached = (SerialLink, UsbLink, BleLink, VideoLink)
    asked = [name for name in driver_names() if isinstance(load_driver(name).link, reached)]
    assert [name for name in asked if proved.get(name, {}).get("result") != "passed"] == []
