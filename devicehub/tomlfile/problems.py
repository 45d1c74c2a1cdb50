"""What is wrong with a configuration, one line per mistake, in the order a reader meets them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from devicehub.model.errors import ConfigError
from devicehub.tomlfile.position import KeyPath


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake and its place; line and column count characters from 1."""

    file: Path
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}  {self.text}"


class ConfigProblems(ConfigError):  # noqa: N818 - named for what it holds; every caller catches ConfigError
    """A configuration that cannot be used. The message has one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Complaint:
    """A mistake that knows its key, not its place."""

    path: KeyPath
    text: str


def key_text(path: KeyPath) -> str:
    """A key path as it is read aloud: `device[1].options.rate`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            plain = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            out += ("." if out else "") + (part if plain else json.dumps(part, ensure_ascii=False))
    return out


def value_text(value: object) -> str:
    """A value as TOML writes it, cut to what fits into a line."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 60 else text[:57] + '..."'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number of many digits"
    return "a table" if isinstance(value, dict) else "an array" if isinstance(value, list | tuple) else str(value)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """`; did you mean '...'?` for the nearest known word, or nothing."""
    near = get_close_matches(wrong, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def key_mistake(path: KeyPath, known: Iterable[str]) -> Complaint:
    """A key that does not exist. Its value is not shown: it may be a secret under a misspelt name."""
    return Complaint(path, f"{key_text(path)}: unknown key{suggestion(str(path[-1]), known)}")


def value_mistake(path: KeyPath, value: object, text: str) -> Complaint:
    """A value that cannot be."""
    return Complaint(path, f"{key_text(path)} = {value_text(value)}: {text}")
