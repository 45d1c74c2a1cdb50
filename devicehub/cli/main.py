"""From the command line to one command, and from its outcome to an exit code."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, cast

from devicehub.cli.exits import CommandError, Exit, exit_code
from devicehub.cli.output import abandon, note
from devicehub.cli.parser import build_parser
from devicehub.model.errors import ConfigError


class Command(Protocol):
    """A module below `devicehub.cli` that carries out one command."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Commands are imported when they are run, so that `--help` costs nothing."""
    _open_what_is_closed()
    with _Edge() as edge:
        args = build_parser().parse_args(argv)
        command = cast(Command, importlib.import_module(f"devicehub.cli.{args.command}"))
        edge.code = command.run(args)
    return edge.code


def _open_what_is_closed() -> None:
    """Give each standard stream that the process was started without a descriptor of its own.

    Otherwise the next file that is opened takes its number, and what is meant for the stream goes there.
    Standard output then refuses what is written to it; the two others are silent.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


class _Edge:
    """The edge of the process: what leaves a command becomes an exit code and, mostly, one line."""

    def __init__(self) -> None:
        self.code: int = Exit.OK

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or isinstance(error, SystemExit):  # argparse ends so, after --help too
            error = _unwritten()
            if error is None:
                return False
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, KeyboardInterrupt):
            self.code = Exit.INTERRUPTED
        elif isinstance(error, BrokenPipeError):
            abandon(sys.stdout)
        elif isinstance(error, Exception):
            self._report(error)
        else:
            return False
        return True

    def _report(self, error: Exception) -> None:
        code = exit_code(error)
        if code is None:
            sys.__excepthook__(type(error), error, error.__traceback__)
            note("devicehub: internal error: please report the lines above")
            self.code = Exit.INTERNAL
            return
        self.code = code
        if code is Exit.IO_ERROR:
            abandon(sys.stdout)
        for line in _lines(error):
            note(line)


def _unwritten() -> Exception | None:
    """Write what is still buffered for standard output; the error if that fails."""
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        return error
    except OSError as error:
        return CommandError(Exit.IO_ERROR, f"standard output: {error.strerror}")
    return None


def _lines(error: Exception) -> list[str]:
    """One line; a configuration has one per problem and their number."""
    if isinstance(error, OSError):
        return [f"devicehub: {error.filename}: {error.strerror}"]
    problems: tuple[object, ...] = getattr(error, "problems", ()) if isinstance(error, ConfigError) else ()
    if problems:
        return [*map(str, problems), f"{len(problems)} error{'s' if len(problems) > 1 else ''}"]
    return ["devicehub: " + " ".join(str(error).splitlines())]
