"""A conversation with a device that has a memory: it is pulled, dated, and its clock set where that is allowed.

The clock is asked first: a record is as old as the device's clock says, and the hub knows from the same answer how
far that clock is off. A pull begins at the first byte; which records are new the hub knows, also those that an
earlier run of it told. So a pull that breaks off loses nothing, and the next tells nothing twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from devicehub.devicefile.agenda import Flight
from devicehub.devicefile.compiled import Compiled, Memory, Request
from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.memory.codec import CODECS, MemoryCodec
from devicehub.devicefile.memory.series import Series, instant
from devicehub.devicefile.parts import Values
from devicehub.devicefile.schema_memory import DATE
from devicehub.devicefile.telling import marked
from devicehub.driver import Command
from devicehub.model.command import CommandState
from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample, Stored
from devicehub.wire.protocol import Call, Ended, Step, expired

AGAIN: Final = 60.0
_YEARS: Final = range(2000, 2100)
SET_CLOCK: Final = Command(verb="set-clock", title="Set the device's clock to the hub's, in UTC", control=True)


class Pull:
    """One pass through a memory, and what the device's clock said when it began."""

    def __init__(self, codec: MemoryCodec, clock: float, at: float) -> None:
        """`clock`: the device's own, in seconds of UTC since 1970, at monotonic second `at`."""
        self._codec = codec
        self._clock, self._at = clock, at
        self.address = 0

    @property
    def ended(self) -> bool:
        """What follows was never written."""
        return self._codec.ended

    def take(self, now: float, data: bytes, channel: str) -> Iterator[Stored | ProtocolError]:
        """The records that the next bytes complete."""
        self.address += len(data)
        clock = self._clock + now - self._at
        for found in self._codec.feed(data):
            yield found if isinstance(found, ProtocolError) else _stored(found, clock, channel)


def _stored(series: Series, clock: float, channel: str) -> Stored | ProtocolError:
    age = clock - series.stamp - series.start
    if age < 0:
        return ProtocolError(Reason.RANGE, f"record {series.record} is of a time to come: the clock was set back since")
    return Stored(series.record, age, series.spectrum(channel), clock)


class Docked(Conversation):
    """A conversation that also pulls a memory. Takes the command `set-clock`."""

    def __init__(self, compiled: Compiled, options: Mapping[str, OptionValue]) -> None:
        super().__init__(compiled, options)
        self._pull: Pull | None = None
        self._pull_at: float | None = 0.0
        self._pulled = self._more = False
        self._setting: Call | None = None

    def on_command(self, now: float, call: Call) -> Step:
        """`set-clock`, once the memory was pulled: what it holds is dated by the clock that wrote it."""
        if call.verb != SET_CLOCK.verb:
            return super().on_command(now, call)
        memory = self._docked()
        if now > call.expires:
            self._commanding.end(expired(call))
        elif memory is None or memory.table.set_clock is None:
            why = "the device has not said that it is a model whose clock can be set"
            self._commanding.end(Ended(call.number, CommandState.TIMEOUT, why))
        elif why := self._obstacle(now, call):
            self._commanding.end(Ended(call.number, CommandState.FAILED, why))
        else:
            self._setting = call
            self._agenda.add(memory.table.set_clock, first=True)
        return self._step(now)

    def _obstacle(self, now: float, call: Call) -> str:
        """Why the clock cannot be set now; empty if it can."""
        if self._setting is not None:
            return "it is being set"
        if not self._pulled:
            return "its memory is being pulled, which its clock dates"
        year = datetime.fromtimestamp(call.epoch + now, UTC).year
        return "" if year in _YEARS else f"the hub's own clock says {year}"

    def _docked(self) -> Memory | None:
        return next((one for one in self._compiled.memories if one.wanted(self._memory)), None)

    def _ask(self, now: float, request: Request, given: Mapping[str, float | str]) -> None:
        super()._ask(now, request, {**self._place(now, request), **given})

    def _place(self, now: float, request: Request) -> Mapping[str, float | str]:
        """What is read next, or the time to set."""
        memory = self._docked()
        if memory is None:
            return {}
        if request.name == memory.table.read and self._pull is not None:
            assert request.table.size is not None  # the names of a file are checked
            return {"address": self._pull.address, "size": request.table.size - memory.table.less}
        if request.name == memory.table.set_clock and self._setting is not None:
            when = datetime.fromtimestamp(self._setting.epoch + now, UTC)
            return {**{name: getattr(when, name) for name in DATE}, "year": when.year - 2000}
        return {}

    def _answered(self, now: float, flight: Flight, values: Values, refusal: str) -> None:
        super()._answered(now, flight, values, refusal)
        memory = self._docked()
        if memory is None:
            return
        if flight.request.name == memory.table.clock:
            if self._has(now, values, DATE, refusal):
                self._begin(now, memory, values)
        elif flight.request.name == memory.table.read and self._pull is not None:
            if self._has(now, values, ("memory",), refusal):
                self._take(now, memory, bytes(values["memory"]))
        elif flight.request.name == memory.table.set_clock:
            state = CommandState.FAILED if refusal else CommandState.DONE
            self._end(Ended(0, state, refusal))

    def _has(self, now: float, values: Values, wanted: Sequence[str], refusal: str) -> bool:
        """Whether an answer is the one that was asked for: of several that a request may have, one may say no."""
        missing = [name for name in wanted if values.get(name) is None]
        if missing:
            self._over(now + AGAIN, pulled=False)
        if missing and not refusal:
            self._faults.append(ProtocolError(Reason.UNEXPECTED, f"an answer without {missing[0]}"))
        return not missing

    def _begin(self, now: float, memory: Memory, values: Values) -> None:
        try:
            clock = instant(2000 + values["year"], *(values[name] for name in DATE[1:]))
        except ValueError:
            self._faults.append(ProtocolError(Reason.RANGE, "the device's clock says no time"))
            self._over(now + memory.table.period_s, pulled=True)
            return
        self._pull = Pull(CODECS[memory.table.codec](), clock, now)
        self._more = True

    def _take(self, now: float, memory: Memory, data: bytes) -> None:
        assert self._pull is not None
        for found in self._pull.take(now, data, memory.table.channel):
            if isinstance(found, ProtocolError):
                self._faults.append(found)
            else:
                self._samples.append(self._marked(found))
        if self._pull.ended or self._pull.address >= memory.table.room:
            self._over(now + memory.table.period_s, pulled=True)
        else:
            self._more = True

    def _marked(self, stored: Stored) -> Sample:
        return marked(stored) if self._compiled.file.untested else stored

    def _over(self, again: float, *, pulled: bool) -> None:
        self._more = False
        self._pull, self._pull_at, self._pulled = None, again, self._pulled or pulled

    def _late(self, now: float) -> None:
        flight = self._agenda.flight
        super()._late(now)
        memory = self._docked()
        if memory is None or flight is None or self._agenda.flight is not None:
            return
        if flight.request.name in {memory.table.clock, memory.table.read}:
            self._over(now + AGAIN, pulled=False)
        elif flight.request.name == memory.table.set_clock:
            self._end(Ended(0, CommandState.TIMEOUT, "the device did not answer"))

    def _end(self, ended: Ended) -> None:
        call, self._setting = self._setting, None
        if call is not None:
            self._commanding.end(Ended(call.number, ended.state, ended.why))

    def _step(self, now: float) -> Step:
        memory = self._docked()
        if memory is not None and self._pull_at is not None and now >= self._pull_at:
            self._pull_at = None
            self._agenda.add(memory.table.clock)
        if self._more and memory is not None and not self._agenda.is_due(now, self._memory):
            self._more = False  # what is measured now goes before what was
            self._agenda.add(memory.table.read)
        step = super()._step(now)
        wake = step.wake_at
        if memory is not None and self._pull_at is not None:
            wake = self._pull_at if wake is None else min(wake, self._pull_at)
        return Step(step.write, step.samples, step.faults, wake, step.ended, step.lost)
