"""The first answer: it can be painted by itself, and names all that the first view needs, so that nothing waits twice."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from devicehub.web.first import first_page

STATIC = Path(__file__).parents[3] / "devicehub" / "web" / "static"
IMPORT = re.compile(r'^import .* from "(\.[^"]+)";', re.MULTILINE)


def needed(*names: str) -> set[str]:
    """The modules that these import, and those in turn."""
    seen: set[Path] = set()
    todo = [STATIC / name for name in names]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [(one.parent / name).resolve() for name in IMPORT.findall(one.read_text(encoding="utf-8"))]
    return {str(one.relative_to(STATIC)) for one in seen}


def test_style_and_theme_stand_in_it_and_are_allowed_by_their_digests() -> None:
    page, policy = first_page(STATIC)
    text = page.decode()
    assert '<link rel="stylesheet"' not in text
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{directive} 'self' 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_every_module_of_the_first_view_is_fetched_at_once() -> None:
    page, _ = first_page(STATIC)
    told = set(re.findall(r'"/static/([a-z/-]+\.js)"', page.decode()))
    assert told == needed("main.js", "views/overview.js")


def test_a_page_without_its_style_is_no_page(tmp_path: Path) -> None:
    for name in ("index.html", "style.css", "theme.js"):
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=r"style\.css and theme\.js"):
        first_page(tmp_path)
