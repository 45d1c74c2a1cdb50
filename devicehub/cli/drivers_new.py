"""`devicehub drivers new`: driver, simulator and transcript of a new device, from the templates of a checkout."""

import argparse
import re
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import note, print_json, say
from devicehub.model.device import Category
from devicehub.tomlfile.problems import suggestion

_NAME = re.compile(r"([a-z]+)\.([a-z][a-z0-9]*(?:_[a-z0-9]+)*)")


def run(args: argparse.Namespace) -> int:
    """Write the three files; nothing is overwritten."""
    family, stem = _parts(args.name)
    root: Path = args.into
    made = {
        root / "drivers" / family / f"{stem}.py": root / "drivers" / "_template.py",
        root / "simulators" / family / f"{stem}.py": root / "simulators" / "_template.py",
        root / "tests" / "fixtures" / stem / "first-reading.txt": root / "tests" / "fixtures" / "_template.txt",
    }
    for path, template in made.items():
        if not template.is_file():
            raise CommandError(Exit.NO_INPUT, f"{template} is missing; run this in a checkout, or name it with --into")
        if path.exists():
            raise CommandError(Exit.CANNOT_CREATE, f"{path} exists; it is left alone and nothing was written")
    for path, template in made.items():
        _make_folder(path.parent)
        path.write_text(_filled(template.read_text(encoding="utf-8"), family, stem), encoding="utf-8")
    if args.json:
        print_json([str(path) for path in made])
    else:
        for path in made:
            say(str(path))
        note(f"next, in the test environment: python -m pytest -q tests/drivers/test_conformance.py -k {stem}")
    return Exit.OK


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(Exit.CANNOT_CREATE, f"{folder}: {error.strerror}") from None


def _parts(name: str) -> tuple[str, str]:
    families = [str(category) for category in Category]
    match = _NAME.fullmatch(name)
    if match is None:
        raise CommandError(Exit.USAGE, f"'{name}' must be FAMILY.MAKER_MODEL in lower case, as trace.acme_sniffer2")
    if match[1] not in families:
        hint = suggestion(match[1], families) or f"; known: {', '.join(families)}"
        raise CommandError(Exit.USAGE, f"no family '{match[1]}'{hint}")
    return match[1], match[2]


def _filled(text: str, family: str, stem: str) -> str:
    words = [word.capitalize() for word in stem.split("_")]
    names = {
        "Category.TRACE": f"Category.{family.upper()}",
        "Maker Model": " ".join(words),
        "MakerModel": "".join(words),
        "maker_model": stem,
    }
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text
