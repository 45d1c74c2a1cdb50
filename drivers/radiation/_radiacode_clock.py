"""The command `set-clock` of a RadiaCode: taken, sent in its turn, ended once. Pure."""

from datetime import UTC, datetime
from typing import Final

from devicehub.driver import Command
from devicehub.model.command import CommandState
from devicehub.wire.protocol import Call, Ended, expired

SET_CLOCK: Final = Command(
    verb="set-clock", title="Set the device's clock to the hub's, in UTC", control=True, timeout=15.0
)
_YEARS: Final = range(2000, 2100)


class ClockSetting:
    """The commands of one open link: the one that waits or was sent, and those that have ended."""

    def __init__(self) -> None:
        self._call: Call | None = None
        self._ended: list[Ended] = []

    def take(self, now: float, call: Call, *, heard: bool, settled: bool) -> bool:
        """Whether a command is to be sent; if not it has ended.

        `heard`: the device has handed over records; `settled`: none of them waits for the present that dates it.
        """
        if now > call.expires:
            self._ended.append(expired(call))
        elif not heard:
            self._end(call, CommandState.TIMEOUT, "the device has not handed over what it recorded")
        elif why := self._obstacle(now, call, settled=settled):
            self._end(call, CommandState.FAILED, why)
        else:
            self._call = call
            return True
        return False

    def _obstacle(self, now: float, call: Call, *, settled: bool) -> str:
        """Why the clock cannot be set now; empty if it can."""
        if self._call is not None:
            return "it is being set"
        if not settled:
            return "what it recorded is being read"
        year = _when(now, call).year
        return "" if year in _YEARS else f"the hub's own clock says {year}"

    def arguments(self, now: float) -> bytes | None:
        """The arguments of SET_TIME as the time is now; None, and the command has ended, if it is too late."""
        assert self._call is not None
        if now > self._call.expires:
            self._ended.append(expired(self._call))
            self._call = None
            return None
        when = _when(now, self._call)
        date = (when.day, when.month, when.year - 2000, 0, when.second, when.minute, when.hour, 0)
        return bytes(date)

    def over(self, state: CommandState, why: str = "") -> None:
        """What became of the one that was sent."""
        if self._call is not None:
            self._end(self._call, state, why)
            self._call = None

    def ended(self) -> tuple[Ended, ...]:
        """What has ended since this was asked."""
        out, self._ended = tuple(self._ended), []
        return out

    def _end(self, call: Call, state: CommandState, why: str) -> None:
        self._ended.append(Ended(call.number, state, why))


def _when(now: float, call: Call) -> datetime:
    return datetime.fromtimestamp(call.epoch + now, UTC)
