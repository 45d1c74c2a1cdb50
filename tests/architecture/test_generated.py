"""Generated files say what the code says."""

from pathlib import Path

import pytest

from devicehub.publish.contract import files

FOLDER = Path(__file__).parents[2] / "docs" / "contract"
REMEDY = "run: python -m devicehub.publish.contract docs/contract"


@pytest.mark.parametrize("name", files())
def test_the_committed_contract_is_what_the_code_generates(name: str) -> None:
    path = FOLDER / name
    assert path.exists(), REMEDY
    assert path.read_text(encoding="utf-8") == files()[name], REMEDY


def test_no_file_of_a_former_kind_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(files()), REMEDY


def test_generating_twice_gives_the_same_bytes() -> None:
    assert files() == files()
