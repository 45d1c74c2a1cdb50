"""`devicehub config show`."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_json, say
from devicehub.config import load_config


def run(args: argparse.Namespace) -> int:
    """Print the valid configuration as TOML or JSON. Secrets are references and stay so."""
    config = load_config(config_path(args))
    values: dict[str, object] = config.model_dump(mode="python", exclude_unset=not args.effective, exclude_none=True)
    if args.json:
        print_json(plain(values))
    else:
        say("\n".join(toml_lines(values)))
    return Exit.OK


def plain(value: object) -> object:
    """A value as JSON has it: paths are text."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def toml_lines(values: Mapping[str, object], *, deep: bool = False) -> Iterator[str]:
    """TOML of a document: its own keys, then its tables and arrays of tables. What is deeper stands inline."""
    sections = [] if deep else [(key, tables) for key, value in values.items() if (tables := _tables(value))]
    inside = {key for key, _ in sections}
    for key, value in values.items():
        if key not in inside:
            yield f"{_key(key)} = {toml_value(value)}"
    for key, tables in sections:
        for table in tables:
            yield ""
            yield f"[{_key(key)}]" if isinstance(values[key], Mapping) else f"[[{_key(key)}]]"
            yield from toml_lines(table, deep=True)


def _tables(value: object) -> list[Mapping[str, object]]:
    """A table, or the elements of an array of tables."""
    elements = value if isinstance(value, list | tuple) else [value]
    return [one for one in elements if isinstance(one, Mapping)]


def _key(text: str) -> str:
    plain = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    return text if plain else _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: object) -> str:
    """A value in one line of TOML."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else _text(str(value))
