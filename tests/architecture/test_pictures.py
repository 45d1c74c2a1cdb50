"""The pictures of the page in the guides are of the page as it is, as far as that can be known without a browser."""

import shutil
from pathlib import Path

import pytest

from tests.pictures import IMAGES, REFRESH, STATIC, VIEWS, digest, picture, stale


@pytest.fixture
def static(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STATIC, tmp_path / "static"))


def changed(static: Path, name: str, old: str, new: str) -> set[str]:
    """The views whose digest is another one when a text in a file of the page is."""
    before = {view: digest(view, static) for view in VIEWS}
    path = static / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return {view for view in VIEWS if digest(view, static) != before[view]}


def test_each_picture_is_of_the_page_as_it_is() -> None:
    assert stale() == [], (
        f"look at docs/img/page-*.png of these views. Something is seen to differ: {REFRESH}; else: python -m tests.pictures"
    )


def test_no_picture_of_the_page_is_without_a_view() -> None:
    assert set(IMAGES.glob("page-*.png")) == {picture(view) for view in VIEWS}


@pytest.mark.parametrize(
    ("name", "old", "new", "views"),
    [
        ("views/journal.js", "READINGS", "OTHERS", {"journal"}),
        ("views/overview.js", "SELECTED", "CHOSEN", {"overview"}),
        ("station.js", "asking", "begging", {"setup"}),
        ("style.css", "#d9d9d9", "#dadada", set(VIEWS)),
        ("words/en.json", '"Test the broker"', '"Try the broker"', {"setup"}),
        ("words/en.json", '"Nuisance"', '"Bother"', {"alarms", "inspections", "journal", "training"}),
        ("words/en.json", '"Digest of the configuration"', '"Configuration"', set(VIEWS)),
        ("words/sq.json", '"Përmbledhja"', '"Pamja"', set()),
    ],
)
def test_what_a_picture_is_made_of_makes_it_another_one_and_nothing_else_does(
    static: Path, name: str, old: str, new: str, views: set[str]
) -> None:
    assert changed(static, name, old, new) == views
