"""What is accepted reaches journal and board in order, whatever the disk does."""

import asyncio
from pathlib import Path

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Outcome, Setting, Station
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.message import Kind, Message
from devicehub.model.reading import Measurement, Reading
from devicehub.model.stream import Stream
from devicehub.pipe import Pipe
from devicehub.process import TICK, Process, Sinks
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.port import Outgoing
from devicehub.transport.progress import Progress
from tests.real.journals import NAME, TOPICS, encode, event, full_disk
from tests.unit.core.bench import driver, ids
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


async def test_progress_passes_what_is_stored_and_knows_what_was_refused(tmp_path: Path) -> None:
    """Nothing is settled while the disk takes nothing; what found no room is known not to be durable."""
    clock, board, pipe, progress = Clock(), Board(), Pipe(capacity=2), Progress()
    journal = Journal(tmp_path / NAME, encode, clock)
    await journal.open()
    sinks = Sinks(journal, board, EvidenceStore(tmp_path / "evidence"), latest, Gauges(), clock)
    core = Station(Setting(devices={"dev": driver(), "files": driver()}, ids=ids()))
    process = Process(pipe, core, sinks, progress, clock)
    tasks = [asyncio.create_task(process.run()), asyncio.create_task(process.tick())]
    asked: dict[str, asyncio.Task[bool]] = {}

    async def say(device: str) -> None:
        now = clock.stamp()
        pipe.offer(Reading(device, now, Measurement("level", 1.0)))
        asked[device] = asyncio.create_task(progress.settled(device, now.mono, now.mono))
        await clock.sleep(0.1)

    with full_disk():
        await say("dev")
        await say("dev")
        first = asked["dev"]
        await say("dev")
        await say("files")
        await clock.sleep(60)
        assert not any(one.done() for one in asked.values())
    assert await first
    assert not await asked["files"], "the two places were taken"
    await say("files")
    assert await asked["files"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await journal.close()
