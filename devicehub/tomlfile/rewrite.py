"""Other values for keys of a TOML text: comments, order and everything else stay as they are written."""

import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Final, cast

from devicehub.model.errors import ConfigError
from devicehub.tomlfile.position import KeyPath, key_positions
from devicehub.tomlfile.problems import key_text

_VALUE: Final = re.compile(r"""(\s*[A-Za-z0-9_-]+\s*=\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[+-]?[0-9][0-9_.eE+-]*)""")
"""A bare key, and a number or a string of one line."""

Scalar = float | int | str


def rewritten(text: str, values: Mapping[KeyPath, Scalar]) -> str:
    """The text with those values. Raises `ConfigError` for a key that is not written plainly, as `key = 1.5`.

    What comes out is read again: nothing but these values has changed.
    """
    plain = text.replace("\r\n", "\n")
    wanted = tomllib.loads(plain)
    before, positions = deepcopy(wanted), key_positions(plain)
    lines, out = plain.split("\n"), plain
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    edits: list[tuple[int, int, str]] = []
    for path, value in values.items():
        place = positions.get(path)
        start = -1 if place is None else starts[place.line - 1] + place.column - 1
        found = None if place is None else _VALUE.match(plain, start)
        if found is None:
            raise ConfigError(f"{key_text(path)} is not written as 'key = value' on one line; edit the file by hand")
        edits.append((found.start(2), found.end(2), _written(value)))
        _put(wanted, path, value)
    for start, end, new in sorted(edits, reverse=True):
        out = out[:start] + new + out[end:]
    if before == wanted or _read(out) != wanted:
        raise ConfigError("that changes more than was wished, or nothing; edit the file by hand")
    return out.replace("\n", "\r\n") if "\r\n" in text else out


def _read(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _written(value: Scalar) -> str:
    """As TOML: a basic string has the escapes of JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _put(tree: dict[str, object], path: KeyPath, value: Scalar) -> None:
    here = cast("dict[str | int, object]", tree)
    for part in path[:-1]:
        here = cast("dict[str | int, object]", here[part])
    here[path[-1]] = value
