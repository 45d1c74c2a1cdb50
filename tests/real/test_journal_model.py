"""The journal against a list: any order of appends, marks, crashes, errors and clean ends."""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from devicehub.journal import Entry
from devicehub.model.errors import JournalError
from devicehub.model.message import Kind, Message
from devicehub.model.stream import Stream
from devicehub.publish.topics import stream_of
from tests.real.journals import (
    NAME,
    RAISED,
    alarm_state,
    delivered,
    event,
    everything,
    full_disk,
    image,
    made,
    standing,
)

pytestmark = pytest.mark.real

T = TypeVar("T")
groups = st.lists(st.lists(st.sampled_from(["event", "raise", "clear"]), min_size=1, max_size=4), max_size=4)


class JournalAndList(RuleBasedStateMachine):
    """`self.stored` is what must be in the journal, by position; what stands is derived from it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        self.runner = asyncio.Runner()
        self.generation = 0
        self.number = 0
        self.stored: list[Message] = []
        self.forgotten: set[int] = set()
        self.marked = 0
        self.journal = made(self.place)
        self._run(self.journal.open())

    @property
    def place(self) -> Path:
        return self.folder / str(self.generation)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def _made(self, words: list[str]) -> list[Message]:
        out = []
        for word in words:
            self.number += 1
            point = f"p{self.number % 3}"
            out.append(
                {"event": event(self.number), "raise": alarm_state(point, RAISED)}.get(word, alarm_state(point, None))
            )
        return out

    async def _together(self, calls: list[list[Message]]) -> list[int | BaseException]:
        return await asyncio.gather(*map(self.journal.append, calls), return_exceptions=True)

    @rule(words=groups)
    def append(self, words: list[list[str]]) -> None:
        calls = [self._made(one) for one in words]
        before = len(self.stored)
        for call in calls:
            self.stored += call
        ends = [before + sum(map(len, calls[: place + 1])) for place in range(len(calls))]
        assert self._run(self._together(calls)) == ends

    @rule(words=groups.filter(bool))
    def append_to_a_full_disk(self, words: list[list[str]]) -> None:
        with full_disk():
            outcomes = self._run(self._together([self._made(one) for one in words]))
        assert all(isinstance(outcome, JournalError) for outcome in outcomes)

    @rule(share=st.floats(0, 1))
    def deliver(self, share: float) -> None:
        self.marked += round(share * (len(self.stored) - self.marked))
        self._run(delivered(self.journal, self.marked))

    @rule()
    def forget(self) -> None:
        newest = {message.point: place for place, message in enumerate(self.stored, 1) if message.point}
        gone = set(range(1, self.marked + 1)) - set(newest.values()) - self.forgotten
        assert self._run(self.journal.forget(4e9)) == len(gone)
        self.forgotten |= gone

    @rule()
    def crash(self) -> None:
        old, self.journal = self.journal, made(self.folder / str(self.generation + 1))
        image(self.place, self.folder / str(self.generation + 1))
        self._run(old.close())
        self.generation += 1
        self._run(self.journal.open())
        assert self.journal.unclean
        assert self._acked() <= self.marked
        self.marked = self._acked()

    @rule()
    def end_and_begin(self) -> None:
        self._run(self.journal.close())
        self.journal = made(self.place)
        self._run(self.journal.open())
        assert not self.journal.unclean
        assert self._acked() == self.marked

    @rule(after=st.floats(0, 1), most=st.integers(1, 20), stream=st.sampled_from(Stream))
    def look(self, after: float, most: int, stream: Stream) -> None:
        begin = self.marked + round(after * (len(self.stored) - self.marked))
        places = [place for place, one in enumerate(self.stored, 1) if place > begin and stream_of(one) is stream]
        self._same(self._run(self.journal.peek(stream, begin, most)), places[:most])

    def _same(self, entries: list[Entry], places: Sequence[int]) -> None:
        assert [entry.position for entry in entries] == list(places)
        for entry in entries:
            message = self.stored[entry.position - 1]
            assert (entry.out.id, bool(entry.out.payload)) == (message.id, message.data is not None)
            assert entry.number == (self._number(entry.position) if message.kind is Kind.EVENT else None)
            if entry.number is not None:
                assert int(msgspec.json.decode(entry.out.payload)["sequence"]) == entry.number

    def _number(self, position: int) -> int:
        return sum(earlier.kind is Kind.EVENT for earlier in self.stored[:position])

    def _acked(self) -> int:
        """The position up to which all streams were delivered: no stream has anything undelivered before it."""
        undelivered = [
            place for place, one in enumerate(self.stored, 1) if place > self.journal.acked[stream_of(one)].position
        ]
        return min(undelivered, default=len(self.stored) + 1) - 1

    @invariant()
    def the_figures_agree(self) -> None:
        assert (self.journal.last, self._acked()) == (len(self.stored), self.marked)
        assert self.journal.size() >= (self.place / NAME).stat().st_size

    @invariant()
    def what_stands_is_what_was_raised_last(self) -> None:
        newest = {message.point: message for message in self.stored if message.point}
        raised = {point for point, message in newest.items() if message.data is not None}
        assert set(self._run(standing(self.journal))) == {f"trace-1/{point}" for point in raised}

    def teardown(self) -> None:
        self._same(self._run(everything(self.journal, self.marked)), range(self.marked + 1, len(self.stored) + 1))
        self._run(self.journal.close())
        self.runner.close()
        rmtree(self.folder)


JournalAndList.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestJournalAgainstAList = JournalAndList.TestCase
