"""A journal that holds as much as it may: the bulk is refused and counted, alarms go on, and nobody waits."""

import asyncio
from pathlib import Path

import pytest

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.core import Outcome
from devicehub.evidence import EvidenceStore
from devicehub.health import Gauges
from devicehub.journal import Journal
from devicehub.model.errors import JournalFullError
from devicehub.model.gap import GapReason
from devicehub.model.message import Message
from devicehub.model.stream import Stream
from devicehub.process import Sinks
from devicehub.publish.port import Outgoing
from tests.patience import PATIENCE
from tests.real.journals import delivered
from tests.real.test_journal_space import bulk, small, transition

pytestmark = pytest.mark.real


def nowhere(message: Message) -> Outgoing:
    raise AssertionError(f"nothing is for the board here: {message}")


def sinks(journal: Journal, folder: Path) -> Sinks:
    return Sinks(journal, Board(), EvidenceStore(folder / "evidence"), nowhere, Gauges(), Clock())


async def full(journal: Journal, folder: Path) -> tuple[Sinks, int]:
    """Accept until something is refused; how much was accepted."""
    there = sinks(journal, folder)
    number = 0
    while not there.refused.count:
        await there.accept(Outcome([bulk(number)]))
        number += 1
    return there, number - 1


async def test_the_bulk_is_counted_and_alarms_are_stored_at_once(tmp_path: Path) -> None:
    journal = await small(tmp_path)
    there, accepted = await full(journal, tmp_path)
    async with asyncio.timeout(PATIENCE):
        await there.accept(Outcome([bulk(1), transition(), bulk(2)]))
    assert journal.stored[Stream.EVENTS].number == accepted
    assert journal.stored[Stream.ALARMS].number == 1
    assert (there.gauges.refusing, there.refused.count, there.refused.take()) == (True, 3, None)
    await journal.close()


async def test_when_there_is_room_again_a_gap_tells_what_was_refused(tmp_path: Path) -> None:
    journal = await small(tmp_path)
    there, _ = await full(journal, tmp_path)
    await there.accept(Outcome([bulk(1)]))
    await delivered(journal, journal.last)
    await there.accept(Outcome([bulk(2)]))
    assert not there.gauges.refusing
    gap = there.refused.take()
    assert gap is not None
    assert (gap.stream, gap.reason, gap.count) == ("hub", GapReason.OVERFLOW, 2)
    assert there.refused.take() is None
    await journal.close()


async def test_sabotage_one_turn_for_all_keeps_alarms_out(tmp_path: Path) -> None:
    """As it would be if an alarm were stored together with what is refused."""
    journal = await small(tmp_path)
    await full(journal, tmp_path)
    with pytest.raises(JournalFullError, match=r"journal\.gib allows"):
        await journal.append([bulk(1), transition()])
    assert journal.stored[Stream.ALARMS].number == 0
    await journal.close()
