"""`devicehub man`: the manual page, from the same parser that reads the command line."""

import argparse
from collections.abc import Iterator

from devicehub import __version__
from devicehub.cli.exits import MEANINGS, Exit
from devicehub.cli.grammar import Argument, Spelled
from devicehub.cli.output import print_json, say
from devicehub.cli.parser import build_parser


def run(args: argparse.Namespace) -> int:
    """Print it; `devicehub man > devicehub.1 && man ./devicehub.1` shows it."""
    text = page()
    print_json({"man": text}) if args.json else say(text.rstrip("\n"))
    return Exit.OK


def page() -> str:
    """The page in the macros of man(7)."""
    whole, *commands = build_parser().spelled()
    lines = [
        f'.TH DEVICEHUB 1 "" "devicehub {__version__}" "User Commands"',
        ".SH NAME",
        r"devicehub \- " + _escaped(whole.text[:1].lower() + whole.text[1:].rstrip(".")),
        ".SH SYNOPSIS",
        ".B devicehub",
        ".I COMMAND",
        r"[\fIARGUMENT\fR ...]",
        ".SH COMMANDS",
    ]
    for command in commands:
        if not command.inner:
            lines += _of(command)
    lines += [".SH EXIT STATUS"]
    for code, meaning in MEANINGS.items():
        lines += [".TP", f".B {code:d}", _escaped(meaning)]
    lines += [".SH ENVIRONMENT"]
    for name, meaning in (
        ("DEVICEHUB_CONFIG", "The configuration, where --config names none."),
        ("NO_COLOR", "Any value: no colour and no bold."),
        ("STATE_DIRECTORY", "The folder for journal and evidence, where hub.state names none."),
    ):
        lines += [".TP", f".B {name}", _escaped(meaning)]
    return "\n".join(lines) + "\n"


def _of(command: Spelled) -> Iterator[str]:
    words = " ".join(command.words)
    yield f'.SS "devicehub {_escaped(words)}"'
    yield _escaped(command.text)
    for argument in command.arguments:
        if "--help" not in argument.names:
            yield ".TP"
            yield _tag(argument)
            yield _escaped(argument.text or "See above.")


def _tag(argument: Argument) -> str:
    value = rf"\fI{_escaped(argument.value)}\fR" if argument.value else ""
    names = ", ".join(rf"\fB{_escaped(name)}\fR" for name in argument.names)
    return f"{names} {value}".strip()


def _escaped(text: str) -> str:
    """Without what roff takes for an escape or, at the begin of a line, for a request."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{safe}" if safe.startswith(".") else safe
