"""`devicehub journal verify`."""

import argparse
import sqlite3
from pathlib import Path

import msgspec

from devicehub.cli.bar import Bar
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, say
from devicehub.journal.salvage import examine
from devicehub.model.errors import JournalError

JOURNAL = "journal.sqlite"


def run(args: argparse.Namespace) -> int:
    """Say what is wrong, one line each, or that nothing is; a running hub is not disturbed. 0 or 65."""
    folder: Path = args.state or given_config(args).hub.state
    path = folder / JOURNAL
    if not path.exists():
        raise CommandError(Exit.NO_INPUT, f"{path}: there is no journal")
    bar = Bar("verifying", 0, as_json=args.json)
    try:
        findings = examine(path, bar.reach_of)
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}") from error
    finally:
        bar.end()
    if args.json:
        print_json({"file": str(path), "findings": msgspec.to_builtins(findings)})
    for one in () if args.json else findings:
        say(f"{path}: {one}")
    if not findings and not args.json:
        say(f"{path}: every row is what was stored")
    return Exit.BAD_INPUT if findings else Exit.OK
