"""One TOML file with the place of each of its keys; what cannot be read is told as file:line:column."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from devicehub.tomlfile.position import KeyPath, Position, key_positions
from devicehub.tomlfile.problems import Complaint, ConfigProblems, Problem

LIMIT = 1024 * 1024
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
Tree = dict[str, object]


@dataclass(frozen=True, slots=True)
class TomlFile:
    """One file: its values, and where each of its keys stands."""

    path: Path
    values: Tree
    positions: dict[KeyPath, Position]

    @property
    def places(self) -> dict[KeyPath, Problem]:
        """Where each key stands, with the file's name."""
        return {key: Problem(self.path, at.line, at.column, "") for key, at in self.positions.items()}


def placed(complaint: Complaint, places: dict[KeyPath, Problem]) -> Problem:
    """A mistake at the key itself, or at the nearest table around it when the key is missing."""
    length = len(complaint.path)
    while complaint.path[:length] not in places:
        length -= 1
    place = places[complaint.path[:length]]
    return Problem(place.file, place.line, place.column, complaint.text)


def read_file(path: Path, missing: str = "no such file; 'devicehub config init' writes one") -> TomlFile:
    """Read one TOML file. `missing`: what is to be said where there is none. Raises `ConfigProblems`."""
    text = _text(path, missing)
    try:
        return TomlFile(path, tomllib.loads(text), key_positions(text))
    except RecursionError:
        problem = Problem(path, 1, 1, "nested too deeply")
    except ValueError as error:  # TOMLDecodeError, and a number of more digits than Python reads
        problem = _syntax(path, text, str(error))
    raise ConfigProblems([problem])


def _text(path: Path, missing: str) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LIMIT + 1)
    except FileNotFoundError:
        problem = Problem(path, 1, 1, missing)
    except OSError as error:
        problem = Problem(path, 1, 1, f"cannot be read: {error.strerror}")
    else:
        if len(content) > LIMIT:
            raise ConfigProblems([Problem(path, 1, 1, f"larger than {LIMIT} bytes")])
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start].decode("utf-8-sig", errors="replace")
            problem = Problem(path, *_end(before), f"not UTF-8 text: byte {content[error.start]:#04x}")
    raise ConfigProblems([problem])


def _end(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _syntax(path: Path, text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    line, column = (int(place[1]), int(place[2])) if place and place[1] else _end(text) if place else (1, 1)
    words = message[: place.start()] if place else message.partition(":")[0]
    return Problem(path, line, column, f"not valid TOML: {words[:1].lower()}{words[1:]}")
