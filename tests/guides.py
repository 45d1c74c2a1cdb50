"""The fenced blocks of a guide, for tests that do what it says."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<what>[^\n]+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. Behind its `kind` stands `word` or `word=rest`, or nothing: what a reader is to do with `text`."""

    kind: str
    word: str
    rest: str
    text: str


def blocks(guide: Path) -> list[Block]:
    """All of them, in order."""
    found = []
    for one in _BLOCK.finditer(guide.read_text(encoding="utf-8")):
        word, _, rest = (one["what"] or "").partition("=")
        found.append(Block(one["kind"], word, rest, one["text"]))
    return found
