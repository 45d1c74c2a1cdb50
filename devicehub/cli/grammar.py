"""What the command line is made of: parsers that report in one line, nouns, leaves, and the options that many share.

Light: nothing here imports a command.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

from devicehub.cli.exits import Exit

LANGUAGES = ("en", "sq", "sr-Latn", "sr-Cyrl")
_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<known>.*)\)")


class Argument(NamedTuple):
    """One argument of a command. `names`: of an option, empty for what stands by its place. `value`: what it takes."""

    names: tuple[str, ...]
    value: str
    text: str
    choices: tuple[str, ...]


class Spelled(NamedTuple):
    """A command as a shell and a manual need it. `inner`: the words that may follow it."""

    words: tuple[str, ...]
    text: str
    arguments: tuple[Argument, ...]
    inner: tuple[str, ...]


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, with the nearest word.

    `later`: what makes the commands below it, each as a parser of that type, once somebody asks for them.
    """

    later: "tuple[Callable[[Nouns], None], type[Parser]] | None" = None

    def _whole(self) -> None:
        if self.later is not None:
            (below, leaves), self.later = self.later, None
            below(self.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=leaves))

    def parse_known_args(  # type: ignore[override]  # argparse's overloads, which subparsers never use
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse's own, with the commands below."""
        self._whole()
        return super().parse_known_args(args, namespace)

    def spelled(self, words: tuple[str, ...] = ()) -> Iterator[Spelled]:
        """The command itself, and those below it."""
        self._whole()
        below: dict[str, Parser] = {}
        for action in self._actions:
            if isinstance(action.choices, dict):
                below |= action.choices
        given = tuple(_argument(one) for one in self._actions if not isinstance(one.choices, dict))
        yield Spelled(words, self.description or "", given, tuple(below))
        for word, parser in below.items():
            yield from parser.spelled((*words, word))

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        choice = _CHOICE.search(message)
        if choice is not None:
            known = re.findall(r"[\w.-]+", choice["known"])
            near = get_close_matches(choice["given"], known, n=1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"
            message = f"unknown command or choice '{choice['given']}'{hint}"
        print(f"{self.prog}: {message} (see '{self.prog} --help')", file=sys.stderr)
        sys.exit(Exit.USAGE)


def _argument(action: argparse.Action) -> Argument:
    choices = tuple(str(one) for one in action.choices or ())
    takes = "" if action.nargs == 0 else str(action.metavar or (choices and f"{{{','.join(choices)}}}") or action.dest)
    return Argument(tuple(action.option_strings), takes, (action.help or "").replace("%%", "%"), choices)


class Mixed(Parser):
    """Takes options between NAME and a list of words too, which argparse alone does not."""

    _inside = False

    def parse_known_args(  # type: ignore[override]  # as of Parser
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As its own, once for the options in between."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


class Nouns(Protocol):
    """Where commands are added. argparse has no public name for it."""

    def add_parser(self, name: str, *, help: str, description: str) -> Parser:  # noqa: A002 - argparse's own word
        """A new command."""
        ...


def sentence(text: str) -> str:
    """A help text as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


def leaf(nouns: Nouns, name: str, command: str, text: str) -> Parser:
    """A command that the module `command` below `devicehub.cli` carries out."""
    parser = nouns.add_parser(name, help=text, description=sentence(text))
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)
    return parser


def noun(commands: Nouns, name: str, text: str, below: Callable[[Nouns], None], leaves: type[Parser] = Parser) -> None:
    """A word that commands stand below, which are made when somebody asks for them: `--help` alone needs none."""
    commands.add_parser(name, help=text, description=sentence(text)).later = (below, leaves)


def config_option(parser: Parser) -> None:
    """Which configuration."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration; default: $DEVICEHUB_CONFIG, devicehub.toml here, else in /etc/devicehub",
    )


def broker_option(parser: Parser) -> None:
    """Which broker, by its address or by the configuration."""
    parser.add_argument("--broker", metavar="URL", help="mqtt://host[:port]; default: that of the configuration")
    config_option(parser)


def hub_options(parser: Parser) -> None:
    """Which hub a command is for."""
    parser.add_argument("--node", metavar="SITE/NODE", help="of the hub; default: that of the configuration")
    parser.add_argument("--exercise", action="store_true", help="with --node: the hub runs an exercise")
    broker_option(parser)
