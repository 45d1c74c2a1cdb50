"""`devicehub config migrate`."""

import argparse
import difflib
from pathlib import Path

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_json, say
from devicehub.config.migrate import FORMAT, migrated, replace, restore


def run(args: argparse.Namespace) -> int:
    """Bring a configuration to this version's format, keep the former file; show it alone; or go back."""
    path = config_path(args)
    if args.back:
        kept = restore(path)
        _told(args, path, {"restored": str(kept)}, f"{path}: as it was before; {kept.name} took its place")
        return Exit.OK
    began, text = migrated(path)
    if began == FORMAT:
        _told(args, path, {"from": began, "to": FORMAT}, f"{path}: has this version's format, {FORMAT}")
    elif args.dry_run:
        _told(args, path, {"from": began, "to": FORMAT, "text": text}, _changes(path, text))
    else:
        kept = replace(path, began, text)
        words = f"{path}: format {FORMAT} now; {kept.name} is what it was, and --back brings it back"
        _told(args, path, {"from": began, "to": FORMAT, "kept": str(kept)}, words)
    return Exit.OK


def _changes(path: Path, text: str) -> str:
    before = path.read_text(encoding="utf-8-sig").splitlines()
    return "\n".join(difflib.unified_diff(before, text.splitlines(), str(path), "would become", lineterm=""))


def _told(args: argparse.Namespace, path: Path, facts: dict[str, object], words: str) -> None:
    if args.json:
        print_json({"file": str(path), **facts})
    else:
        say(words)
