"""Durable consumers with one mistake each: `python -m tests.real.wrong_consumers MISTAKE OUT NAME PORT`.

What judges consumers must see each of them.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import structs

from devicehub.clock import Clock
from devicehub.consume import consumer as loop
from devicehub.consume.book import Book, State
from devicehub.consume.count import Verdict
from devicehub.consume.files import opened
from devicehub.consume.heard import Announced, Heard, filters
from devicehub.consume.store import Store
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import connect
from devicehub.publish.settings import BrokerSettings

NODE = "devicehub/v1/check/hub"
STREAMS = frozenset({Stream.ALARMS, Stream.EVENTS})


class ConfirmsFirst:
    """Its receipts are one batch ahead of what is on the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: list[tuple[Sequence[Heard], State]] = []

    def load(self, book: Book) -> None:
        self._store.load(book)

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        for one in self._kept:
            self._store.store(*one)
        self._kept = [(batch, changes)]

    def close(self) -> None:
        for one in self._kept:
            self._store.store(*one)
        self._store.close()


class Forgets(ConfirmsFirst):
    """It does not know at the start what it has."""

    def load(self, book: Book) -> None:
        pass

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        self._store.store(batch, changes)


class Changes(ConfirmsFirst):
    """It stores something else than what was published."""

    def store(self, batch: Sequence[Heard], changes: State) -> None:
        self._store.store([structs.replace(one, body=one.body.replace(b"played", b"plaied")) for one in batch], changes)


class ConfirmsHoles(Book):
    """It stores what comes and confirms the highest number."""

    def judge(self, heard: Heard) -> Verdict:
        for number in range(self.next(heard), heard.number):
            super().judge(structs.replace(heard, number=number, lost=()))
        return super().judge(heard)


class StoresTwice(Book):
    """It does not look whether it has a message already."""

    def judge(self, heard: Heard) -> Verdict:
        verdict = super().judge(heard)
        return Verdict.STORE if verdict is Verdict.DUPLICATE and heard.stream in STREAMS else verdict


class IgnoresGaps(Book):
    """It waits for what will not come."""

    def judge(self, heard: Heard) -> Verdict:
        return super().judge(structs.replace(heard, lost=()))


class DropsLate(Book):
    """It takes a lost number that comes after all for a duplicate."""

    def judge(self, heard: Heard) -> Verdict:
        verdict = super().judge(heard)
        return Verdict.DUPLICATE if verdict is Verdict.LATE else verdict


class KnowsNoEpochs(Book):
    """It takes the numbers of a new journal for those of the old one."""

    def announce(self, status: Announced) -> bool:
        return self.meet(status.node) if self.receipt(status.node).epoch else super().announce(status)

    def judge(self, heard: Heard) -> Verdict:
        epoch = self.receipt(heard.node).epoch
        return super().judge(structs.replace(heard, epoch=epoch or heard.epoch))


class IgnoresStatus(Book):
    """It learns of a new epoch by the first message that was never sent before."""

    def announce(self, status: Announced) -> bool:
        return self.meet(status.node)


STORES: Mapping[str, Callable[[Store], Store]] = {
    "confirms-first": ConfirmsFirst,
    "forgets": Forgets,
    "changes": Changes,
}
BOOKS: Mapping[str, type[Book]] = {
    "confirms-holes": ConfirmsHoles,
    "stores-twice": StoresTwice,
    "ignores-gaps": IgnoresGaps,
    "drops-late": DropsLate,
    "knows-no-epochs": KnowsNoEpochs,
    "ignores-status": IgnoresStatus,
}
TIMES: Mapping[str, Mapping[str, float]] = {
    "is-noisy": {"PAUSE": 0.0, "GATHERING": 0.0},
    "says-it-once": {"AGAIN": 3600.0},
}
"""Constants of the loop that are changed, with what they become."""


async def run(mistake: str, out: Path, name: str, port: int) -> None:
    for constant, seconds in TIMES.get(mistake, {}).items():
        setattr(loop, constant, seconds)
    with opened(out) as store:
        shown = STORES[mistake](store) if mistake in STORES else store
        book = BOOKS.get(mistake, Book)(STREAMS)
        shown.load(book)
        book.meet(NODE)
        link = partial(connect, BrokerSettings(host="127.0.0.1", port=port))
        one = loop.Consumer(shown, book, link, Clock(), name)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, one.stop)
        await one.run(filters(NODE, STREAMS))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
