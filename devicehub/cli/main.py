"""From the command line to one command, and from its outcome to an exit code."""

import argparse
import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, cast

from devicehub.cli.exits import Exit, exit_code
from devicehub.cli.parser import build_parser
from devicehub.model.errors import ConfigError


class Command(Protocol):
    """A module below `devicehub.cli` that carries out one command."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Commands are imported when they are run, so that `--help` costs nothing."""
    args = build_parser().parse_args(argv)
    with _Edge() as edge:
        command = cast(Command, importlib.import_module(f"devicehub.cli.{args.command}"))
        edge.code = command.run(args)
        sys.stdout.flush()
    return edge.code


class _Edge:
    """The edge of the process: what leaves a command becomes an exit code and, mostly, one line."""

    def __init__(self) -> None:
        self.code: int = Exit.OK

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, KeyboardInterrupt):
            self.code = Exit.INTERRUPTED
        elif isinstance(error, BrokenPipeError):
            self._abandon_stdout()
        elif isinstance(error, Exception):
            self._report(error)
        else:
            return False
        return True

    @staticmethod
    def _abandon_stdout() -> None:
        """Whoever read our output has seen enough; the interpreter must not try to flush the rest."""
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _report(self, error: Exception) -> None:
        code = exit_code(error)
        if code is None:
            traceback.print_exception(error)
            print("devicehub: internal error: please report the lines above", file=sys.stderr)
            self.code = Exit.INTERNAL
            return
        self.code = code
        for line in _lines(error):
            print(line, file=sys.stderr)


def _lines(error: Exception) -> list[str]:
    """One line; a configuration has one per problem and their number."""
    if isinstance(error, OSError):
        return [f"devicehub: {error.filename}: {error.strerror}"]
    problems: tuple[object, ...] = getattr(error, "problems", ()) if isinstance(error, ConfigError) else ()
    if problems:
        return [*map(str, problems), f"{len(problems)} error{'s' if len(problems) > 1 else ''}"]
    return ["devicehub: " + " ".join(str(error).splitlines())]
