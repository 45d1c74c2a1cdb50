"""Which pictures of the page in `docs/img/` show it as it is: those whose digest of what they are made of is that of now.

The bytes of a picture differ with the fonts of a machine and with what simulated devices say meanwhile, so they say nothing. What a picture is
made of is known: page, style and icon, the modules of its view, the English words that those may ask for, and the scene that is set up for it. The
digest of that stands beside the picture. What is not looked at: what the hub and its devices make of the scene.

It goes by view and leaves the other languages out, so that a change of one view asks for one picture. A change of the style asks for all, and
most of such changes can be seen in none: whoever has looked and found the pictures right says so, without new ones, by

    python -m tests.pictures

which a review sees as a changed digest beside an unchanged picture.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "img"
STATIC: Final = ROOT / "devicehub" / "web" / "static"
SCENES: Final = (ROOT / "tests" / "page" / "scenes.py", ROOT / "tests" / "page" / "cameras.py")
EXERCISE: Final = "vehicle-hidden-compartment"
SCENARIO: Final = ROOT / "config" / "scenarios" / f"{EXERCISE}.toml"
VIEWS: Final = ("overview", "alarms", "inspections", "devices", "journal", "setup", "wall", "training")
REFRESH: Final = "DEVICEHUB_REFRESH_IMAGES=1 pytest tests/page/test_every_view.py"
_COMMON: Final = ("index.html", "style.css", "theme.js", "icon.svg")
_IMPORT: Final = re.compile(r'^import .* from "(\.[^"]+)";', re.MULTILINE)
_QUOTED: Final = re.compile(r"""["'`]([a-z0-9_.-]+?)(?:["'`]|\.\$\{)""")


def modules(static: Path, *names: str) -> list[Path]:
    """Those scripts, those that they import, and those in turn, sorted."""
    seen: set[Path] = set()
    todo = [(static / name).resolve() for name in names]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [(one.parent / name).resolve() for name in _IMPORT.findall(one.read_text(encoding="utf-8"))]
    return sorted(seen)


def digest(view: str, static: Path = STATIC) -> str:
    """What a picture of a view is made of. `static`: the page's files."""
    scripts = modules(static, "main.js", f"views/{view}.js")
    scene = (*SCENES, SCENARIO) if view == "training" else SCENES
    files = [*(static / name for name in _COMMON), *scripts, *scene]
    made = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    return hashlib.sha256(json.dumps([made, _words(static, scripts)]).encode()).hexdigest()


def _words(static: Path, scripts: list[Path]) -> dict[str, object]:
    """The English words that these scripts name, by their key or by its beginning, and those that no script names."""
    words = json.loads((static / "words" / "en.json").read_text(encoding="utf-8"))
    here, anywhere = _named(scripts), _named(sorted(static.rglob("*.js")))
    return {key: words[key] for key in sorted(words) if _of(key) & here or not _of(key) & anywhere}


def _named(scripts: list[Path]) -> set[str]:
    return {name for path in scripts for name in _QUOTED.findall(path.read_text(encoding="utf-8"))}


def _of(key: str) -> set[str]:
    """A key and its beginnings, where a script puts the rest together."""
    parts = key.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


def picture(view: str) -> Path:
    """The picture of a view."""
    return IMAGES / f"page-{view}.png"


def _beside(view: str) -> Path:
    return picture(view).with_suffix(".digest")


def stale() -> list[str]:
    """Views whose picture is missing, or of what the page is no more."""
    return [
        view
        for view in VIEWS
        if not (picture(view).exists() and _beside(view).exists())
        or _beside(view).read_text(encoding="ascii").strip() != digest(view)
    ]


def looked_at(view: str) -> None:
    """Put beside a picture what it shows."""
    _beside(view).write_text(f"{digest(view)}\n", encoding="ascii")


if __name__ == "__main__":
    for name in stale():
        looked_at(name)
        print(f"{picture(name).name} shows the page as it is")
