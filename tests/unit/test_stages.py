"""What is accepted reaches journal and board in order, whatever the disk does."""

import asyncio
from pathlib import Path

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Outcome
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.message import Kind, Message
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.port import Outgoing
from devicehub.stages import TICK, Sinks
from tests.real.journals import NAME, TOPICS, encode, event, full_disk
from tests.unit.publish.examples import TIME, ULID


def latest(message: Message) -> Outgoing:
    return outgoing(message, Encoder("site", "node", boot="b", exercise=True).encode(message), TOPICS)


def flat(value: float) -> Message:
    return Message(Kind.STATE, "state", ULID, TIME, 1.0, {"c": value}, "trace-1")


async def test_what_comes_when_the_disk_is_well_again_does_not_overtake_what_waited_for_it(tmp_path: Path) -> None:
    clock, board = Clock(), Board()
    journal = Journal(tmp_path / NAME, encode, clock)
    await journal.open()
    sinks = Sinks(journal, board, EvidenceStore(tmp_path / "evidence"), latest, Gauges(), clock)
    with full_disk():
        first = asyncio.create_task(sinks.accept(Outcome([event(1), flat(1.0)])))
        await clock.sleep(TICK / 2)
    await sinks.accept(Outcome([event(2), flat(2.0)]))
    await first
    assert [int(entry.out.id) for entry in await journal.peek(Stream.EVENTS, 0, 10)] == [1, 2]
    (shown,) = board.take()
    assert b'{"c":2.0}' in shown.payload
    await journal.close()


async def test_a_state_is_on_the_board_before_anything_waits(tmp_path: Path) -> None:
    clock, board = Clock(), Board()
    journal = Journal(tmp_path / NAME, encode, clock)
    await journal.open()
    sinks = Sinks(journal, board, EvidenceStore(tmp_path / "evidence"), latest, Gauges(), clock)
    with full_disk():
        waiting = asyncio.create_task(sinks.accept(Outcome([event(1), flat(1.0)])))
        await clock.sleep(TICK * 3)
        assert [b'{"c":1.0}' in out.payload for out in board.take()] == [True]
        await sinks.accept(Outcome([flat(2.0)]))
        assert [b'{"c":2.0}' in out.payload for out in board.take()] == [True]
        assert (journal.last, sinks.gauges.refusing) == (0, True)
    await waiting
    assert (journal.last, sinks.gauges.refusing, board.idle()) == (1, False, True)
    await journal.close()
