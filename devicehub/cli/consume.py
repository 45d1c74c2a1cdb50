"""`devicehub consume`: everything that is numbered, stored once and confirmed to its hub."""

import argparse
import asyncio
import re
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from devicehub import log
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.cli.usual import usual_config
from devicehub.cli.watch import settings_of
from devicehub.clock import Clock
from devicehub.consume.book import Book
from devicehub.consume.consumer import Consumer
from devicehub.consume.files import STORES, opened
from devicehub.consume.heard import filters, prefix
from devicehub.consume.leaving import leave
from devicehub.consume.store import ForeignFileError, StoreError, TakenError
from devicehub.model.segment import SEGMENT, segment
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import connect

_NODE = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,64}")


def run(args: argparse.Namespace) -> int:
    """Store until SIGTERM or Ctrl-C, or end the registration."""
    streams, nodes, name = streams_of(args.streams), _nodes(args), name_of(args)
    if args.out.suffix not in STORES:
        raise CommandError(Exit.USAGE, f"{args.out}: must end in {' or '.join(STORES)}, which says how it is stored")
    _check_place(args.out)
    link = partial(connect, settings_of(args))
    around = "" if nodes else prefix("+", "+", exercise=args.exercise)
    log.configure(as_json=args.json or not sys.stderr.isatty())
    with _told(), opened(args.out) as store:
        book = Book(streams)
        store.load(book)
        if args.leave:
            left = asyncio.run(leave(link, Clock(), name, nodes or book.nodes, around))
            note(f"{name} has left {', '.join(left) or 'nobody: no hub knows it'}")
            return Exit.OK
        for node in nodes:
            book.meet(node)
        where = nodes or [around]
        heard = [one for node in where for one in filters(node, streams)]
        note(f"stores {', '.join(sorted(streams))} of {', '.join(where)} in {args.out}, confirmed as {name}")
        with ThreadPoolExecutor(1, thread_name_prefix="store") as executor:
            asyncio.run(_consume(Consumer(store, book, link, Clock(), name, executor), heard))
    return Exit.OK


def _check_place(out: Path) -> None:
    """Raises `CommandError` for what can be no file of messages, before anything is read of it."""
    if out.is_dir():
        raise CommandError(Exit.NO_INPUT, f"{out}: is a folder")
    if out.exists() and not out.is_file():
        raise CommandError(Exit.BAD_INPUT, f"{out}: is no regular file")
    if not out.parent.is_dir():
        raise CommandError(Exit.CANNOT_CREATE, f"{out.parent}: no such folder")


async def _consume(consumer: Consumer, heard: list[str]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, consumer.stop)
    await consumer.run(heard)
    note(f"{consumer.stored} messages stored")


def streams_of(text: str) -> frozenset[Stream]:
    """`alarms,events` as streams. Raises `CommandError`."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in set(Stream):
            raise CommandError(Exit.USAGE, f"--streams: '{word}' is none of {', '.join(Stream)}")
    return frozenset(map(Stream, words))


def _nodes(args: argparse.Namespace) -> list[str]:
    for one in args.node or ():
        if not _NODE.fullmatch(one):
            raise CommandError(Exit.USAGE, f"--node {one}: must be SITE/NODE, as hub.site and hub.node have them")
    return [prefix(*one.split("/"), exercise=args.exercise) for one in args.node or ()]


def name_of(args: argparse.Namespace) -> str:
    """As the receipts call it: given, else that of the configuration's client, else of this computer and file."""
    if args.name is not None:
        if not SEGMENT.fullmatch(args.name):
            raise CommandError(Exit.USAGE, f"--name {args.name}: must be of a to z, 0 to 9 and -, at most 64")
        return str(args.name)
    if args.broker is None and (args.config is not None or usual_config().exists()):
        return given_config(args).hub.node
    return segment(f"{socket.gethostname()}-{args.out.stem}".lower())


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong with the file, as an exit code. Errors of tasks come in groups."""
    try:
        yield
    except* ForeignFileError as group:
        raise CommandError(Exit.BAD_INPUT, str(group.exceptions[0])) from None
    except* TakenError as group:
        raise CommandError(Exit.RETRY, str(group.exceptions[0])) from None
    except* StoreError as group:
        raise CommandError(Exit.IO_ERROR, str(group.exceptions[0])) from None
