"""`devicehub scans hash`: a watch list from plain texts, which are read once and shown nowhere."""

import argparse
import contextlib
import sys
import termios
from collections.abc import Iterator

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note, print_json, say
from devicehub.config.scan_key import known_key
from devicehub.config.watchlist import MOST, watchlist_text
from devicehub.core.watchlist import entry, proof
from devicehub.model.segment import SEGMENT

LONGEST = 4096
"""Characters of one text, as of a long two-dimensional code."""


def run(args: argparse.Namespace) -> int:
    """Print the list; it has one entry for each line of standard input. No text is repeated, in errors neither."""
    if not SEGMENT.fullmatch(args.label):
        raise CommandError(Exit.USAGE, "--label: must be 1 to 64 of a-z, 0-9 and -")
    config = given_config(args)
    key = known_key(config)
    if key is None:
        words = "there is no key yet: a hub makes one when it runs for the first time, or set scan.key"
        raise CommandError(Exit.NO_INPUT, f"{config.hub.state / 'scan.key'}: {words}")
    with _unseen():
        entries = {entry(text, key) for text in _texts()}
    if args.json:
        digests = sorted(one.hex() for one in entries)
        print_json({"label": args.label, "key": proof(key).hex(), "entries": digests})
    else:
        say("\n".join(watchlist_text(args.label, key, entries)))
    counted = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    note(f"{counted}; name the file in [scan] watchlist and reload")
    return Exit.OK


def _texts() -> Iterator[str]:
    """Lines that are not empty. Raises `CommandError` by the number of a line."""
    number = 0
    while line := sys.stdin.buffer.readline(LONGEST * 4 + 2):
        number += 1
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise CommandError(Exit.BAD_INPUT, f"standard input, line {number}: not UTF-8 text") from None
        if len(text) > LONGEST:
            raise CommandError(Exit.BAD_INPUT, f"standard input, line {number}: longer than {LONGEST} characters")
        if number > MOST:
            raise CommandError(Exit.BAD_INPUT, f"standard input: more than {MOST} lines")
        if text:
            yield text


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """A terminal does not show what is typed. Anything else has nothing to show."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, hidden)  # what was pasted already is no less meant
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
