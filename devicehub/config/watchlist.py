"""The file of a watch list: read, every mistake as file:line:column in plain words, and written.

Text: a `label`, a `key` that tells which key the entries were made with, and one entry of 64 hexadecimal digits a
line. What is empty or begins with `#` does not count.
"""

import hmac
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from devicehub.core.watchlist import WatchList, proof
from devicehub.model.segment import SEGMENT
from devicehub.tomlfile.problems import ConfigProblems, Problem

MOST: Final = 1_000_000
"""Entries; a hundred megabytes of memory."""

_TOLD: Final = 20
_LINE: Final = 256
_ENTRY: Final = re.compile(r"(?:hmac-sha256:)?(?P<digest>[0-9a-f]{64})")
_HEAD: Final = re.compile(r"(?P<name>label|key) +(?P<value>\S+)")


def load_watchlist(path: Path, key: bytes | None) -> WatchList:
    """Read a watch list. `key`: that of the scan hash, None where it is not known.

    Raises `ConfigProblems`: also for a list of another key, which would never match anything.
    """
    found = _Found(path)
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(_lines(stream), 1):
                found.take(number, line)
                if len(found.problems) >= _TOLD:
                    break
    except OSError as error:
        raise ConfigProblems([Problem(path, 1, 1, f"watch list cannot be read: {error.strerror}")]) from None
    return found.whole(key)


def watchlist_text(label: str, key: bytes, entries: Iterable[bytes]) -> Iterator[str]:
    """The lines of a watch list. The entries are sorted: their order tells nothing of where they come from."""
    yield "# devicehub watch list"
    yield f"label {label}"
    yield f"key {proof(key).hex()}"
    yield from sorted({entry.hex() for entry in entries})


class _Found:
    """What a file says so far."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._head: dict[str, tuple[int, str]] = {}
        self._digests: set[bytes] = set()

    def take(self, number: int, line: str) -> None:
        """A line. It is never repeated in a mistake: it may be what should have been hashed."""
        if not line or line.startswith("#"):
            return
        entry, head = _ENTRY.fullmatch(line), _HEAD.fullmatch(line)
        if entry is not None:
            self._digests.add(bytes.fromhex(entry["digest"]))
            if len(self._digests) > MOST:
                self._wrong(number, f"more than {MOST} entries")
        elif head is not None and head["name"] not in self._head:
            self._head[head["name"]] = number, head["value"]
        else:
            self._wrong(number, "must be an entry of 64 hexadecimal digits, or one label and one key before them")

    def whole(self, key: bytes | None) -> WatchList:
        """The list. Raises `ConfigProblems`."""
        for name in ("label", "key"):
            if name not in self._head:
                self._wrong(1, f"has no {name}; 'devicehub scans hash' makes a list")
        number, label = self._head.get("label", (1, "none"))
        if not SEGMENT.fullmatch(label):
            self._wrong(number, "the label must be 1 to 64 of a-z, 0-9 and -")
        number, told = self._head.get("key", (1, ""))
        if key is not None and told and not hmac.compare_digest(told.encode(), proof(key).hex().encode()):
            self._wrong(number, "made with another key than that of the scan hash, so that nothing would ever match")
        if self.problems:
            raise ConfigProblems(self.problems)
        return WatchList.of(label, self._digests)

    def _wrong(self, number: int, text: str) -> None:
        self.problems.append(Problem(self._path, number, 1, text))


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines without the white space around them. What is no ASCII, or longer than any line may be, is no entry."""
    while line := stream.readline(_LINE):
        if len(line) == _LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(_LINE)) and not rest.endswith(b"\n"):
                pass
        yield line.decode("ascii", "replace").strip()
