"""The documents as a reader meets them: they are rendered where they lie, so what a site builder would warn of is here."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, tracked

BEGINNINGS = ("README.md", "docs/README.md")
_FENCE = re.compile(r"^ *(`{3,})([^\n`]*)\n.*?^ *\1`* *$\n?", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)\s]+)\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


@cache
def prose(path: Path) -> str:
    """Without fenced blocks, in which nothing is a heading or a link."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def slug(heading: str) -> str:
    """As the usual hosts name the anchor of a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    found: dict[str, int] = {}
    names = set()
    for heading in _HEADING.findall(prose(path)):
        name = slug(heading)
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def targets(path: Path) -> list[tuple[Path, str]]:
    """Files, or this one, and anchors that a document links to."""
    parts = (target.partition("#") for target in _LINK.findall(prose(path)))
    return [((path.parent / name).resolve() if name else path, anchor) for name, _, anchor in parts]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_anchor_is_a_heading_every_fence_ends_and_every_image_says_what_it_shows(path: Path) -> None:
    lost = [
        f"{file.name}#{anchor}"
        for file, anchor in targets(path)
        if anchor and file.suffix == ".md" and anchor not in anchors(file)
    ]
    assert lost == []
    assert "```" not in prose(path)
    assert [name for text, name in _IMAGE.findall(prose(path)) if not text or not (path.parent / name).exists()] == []
    assert len(re.findall(r"^# ", prose(path), re.MULTILINE)) == 1


def test_every_document_is_reached_from_the_first_page() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / name for name in BEGINNINGS]
    while ahead:
        path = ahead.pop()
        if path not in seen:
            seen.add(path)
            ahead += [file for file, _ in targets(path) if file.suffix == ".md" and file.exists()]
            ahead += [file for folder, _ in targets(path) if folder.is_dir() for file in folder.glob("*.md")]
    lost = [path.relative_to(ROOT).as_posix() for path in documents() if path not in seen]
    assert lost == []


def test_an_anchor_is_named_as_the_usual_hosts_name_it() -> None:
    assert slug("What the `service` may do, and go back") == "what-the-service-may-do-and-go-back"
