"""Printing: tables for people, JSON for programs, colour only on a terminal that wants it."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from devicehub.cli.exits import CommandError, Exit


def say(text: str) -> None:
    """A line of data, at once. Raises `CommandError` when standard output does not take it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(Exit.IO_ERROR, f"standard output: {error.strerror}") from error


def print_json(value: object) -> None:
    """One JSON document, indented."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def print_line(value: object) -> None:
    """One JSON value on one line, at once."""
    say(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def heading(text: str) -> str:
    """Bold, where that shows."""
    return painted(text, "1")


def painted(text: str, sgr: str) -> str:
    """With those parameters of ANSI's SGR, if there are some, where that shows: see https://no-color.org."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain or not sgr else f"\x1b[{sgr}m{text}\x1b[0m"


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Left-aligned columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    say("\n".join([heading(_row(titles, widths)), *(_row(row, widths) for row in rows)]))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


@contextmanager
def new_file(path: Path, mode: int = 0o666) -> Iterator[TextIO]:
    """A text file to write, which must not exist yet. Raises `CommandError` if it cannot be made or filled."""
    try:
        stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8")
    except FileExistsError:
        raise CommandError(Exit.CANNOT_CREATE, f"{path} exists; it is left alone") from None
    except OSError as error:
        raise CommandError(Exit.CANNOT_CREATE, f"{path}: {error.strerror}") from None
    with stream:
        yield stream


def note(text: str) -> None:
    """A remark that is not data. Where standard error takes nothing, there is nobody to be told."""
    try:
        print(text, file=sys.stderr)
    except OSError:
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Nobody takes what is written to `stream` any more; the interpreter must not try to flush the rest."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
