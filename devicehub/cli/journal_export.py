"""`devicehub journal export`: stored events and the images that they speak of, as one ZIP to take away."""

import argparse
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import structs

from devicehub.cli.alarms_told import JOURNAL, since_utc
from devicehub.cli.bar import Bar
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, say
from devicehub.clock import Clock
from devicehub.evidence import evidence_folder
from devicehub.journal.archive import Filled, fill
from devicehub.journal.browse import MOST, Found, Wish, browse
from devicehub.journal.replayed import bounds
from devicehub.journal.report import reading
from devicehub.publish.topics import root_of


def run(args: argparse.Namespace) -> int:
    """Write what is real, or what is simulated; a running hub is not disturbed. Never overwrites.

    0, or 65 where an event is not what was stored.
    """
    out: Path = args.out
    state = given_config(args).hub.state
    root = root_of(exercise=args.exercise)
    wish = Wish(
        kind=args.kind,
        within=f"{root}/{args.node}" if args.node else root,
        device=args.device,
        since=since_utc(args, Clock()) or 0.0,
        most=MOST,
    )
    evidence = evidence_folder(state, exercise=args.exercise)
    filled = _written(out, (state / JOURNAL, evidence), wish, as_json=args.json)
    if args.json:
        print_json({"file": str(out), "exercise": args.exercise, **msgspec.to_builtins(filled)})
    else:
        say(f"{out}: {_said(filled)}")
    return Exit.BAD_INPUT if filled.broken else Exit.OK


def _written(out: Path, kept: tuple[Path, Path], wish: Wish, *, as_json: bool) -> Filled:
    """`kept`: journal and images. What cannot be written to its end is not left there.

    Raises `CommandError`, `JournalError`.
    """
    journal, evidence = kept
    with reading(journal) as db:
        try:
            file = out.open("xb")
        except FileExistsError:
            raise CommandError(Exit.CANNOT_CREATE, f"{out} exists; it is left alone") from None
        bars = Bar("events", 0, as_json=as_json), Bar("images", 0, as_json=as_json)
        try:
            with file:
                return fill(file, _pages(db, wish, bars[0]), evidence, reached=bars[1].reach_of)
        except OSError as error:
            out.unlink(missing_ok=True)
            raise CommandError(Exit.IO_ERROR, f"{out}: {error.strerror}; nothing is left there") from None
        except BaseException:
            out.unlink(missing_ok=True)
            raise
        finally:
            for bar in bars:
                bar.end()


def _pages(db: sqlite3.Connection, wish: Wish, bar: Bar) -> Iterator[list[Found]]:
    """All that are wished for, newest first."""
    first, last = bounds(db)
    page = list(browse(db, wish))
    while page:
        yield page
        bar.reach_of(last - page[-1].position + 1, last - first + 1)
        page = list(browse(db, structs.replace(wish, before=page[-1].position)))
    bar.end()


def _said(filled: Filled) -> str:
    parts = [f"{filled.events} events, {filled.images} images"]
    parts += [f"{filled.missing} images are not there any more"] if filled.missing else []
    parts += [f"{filled.broken} EVENTS ARE NOT WHAT WAS STORED"] if filled.broken else []
    return "; ".join(parts)
