"""A folder of captures is a regression suite: nobody writes code for it.

    pytest tests/drivers/test_corpus.py --corpus FOLDER

replays every `FOLDER/<driver>/<capture>.txt`, as `devicehub record` writes it, and compares what its driver makes of it with
the capture itself, or with `<capture>.expected` beside it, which `devicehub replay --expect` writes. The captures that
ship are in `tests/fixtures/`, and `test_conformance.py` replays them.
"""

from pathlib import Path

import pytest

from devicehub.cli.main import main
from devicehub.registry import driver_names, load_driver
from tests.conformance import FIXTURES, replay

READING = FIXTURES / "atom_fast" / "published-captures.txt"


def captures(folder: Path | None) -> list[tuple[str, Path]]:
    """Every capture of a site with the name of its driver."""
    return [] if folder is None else [(path.parent.name, path) for path in sorted(folder.glob("*/*.txt"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a capture."""
    if "capture" in metafunc.fixturenames:
        found = captures(metafunc.config.getoption("--corpus"))
        metafunc.parametrize(("name", "capture"), found, ids=[f"{name}/{path.stem}" for name, path in found])


def test_a_driver_makes_of_a_capture_what_is_expected(name: str, capture: Path) -> None:
    assert name in driver_names(), f"{capture.parent}: a folder of captures has the name of a driver"
    made, expected = replay(load_driver(name), capture)
    assert made == expected, capture


def test_a_capture_without_samples_is_held_against_the_file_beside_it(tmp_path: Path) -> None:
    capture = tmp_path / "radiation.atom_fast" / "first.txt"
    capture.parent.mkdir()
    heard = [line for line in READING.read_text().splitlines() if " < " in line]
    capture.write_text("\n".join(heard))
    driver = load_driver("radiation.atom_fast")
    made, expected = replay(driver, capture)
    assert made != expected
    assert main(["replay", str(capture), "--driver", driver.name, "--expect"]) == 0
    made, expected = replay(driver, capture)
    assert made == expected
    assert sum(" = " in line for line in expected) > 5
    assert captures(tmp_path) == [(driver.name, capture)]


def test_what_is_expected_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "first.txt"
    capture.write_text(READING.read_text())
    (tmp_path / "first.expected").write_text("mine")
    assert main(["replay", str(capture), "--driver", "radiation.atom_fast", "--expect"]) == 73
    assert (tmp_path / "first.expected").read_text() == "mine"
    assert "exists; it is left alone" in capsys.readouterr().err
