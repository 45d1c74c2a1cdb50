"""Commands of a device file: declared, proved, and carried out in the conversation's own turn."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from devicehub.devicefile.asking import Asking
from devicehub.devicefile.notation import Template, parse_bytes, parse_template
from devicehub.devicefile.parts import Values
from devicehub.devicefile.schema import DeviceFile, RequestTable
from devicehub.devicefile.schema_command import ArgumentTable, CommandTable
from devicehub.driver import Command
from devicehub.model.command import CommandState
from devicehub.model.device import Option
from devicehub.tomlfile.problems import Complaint, value_mistake
from devicehub.wire.forbidden import Forbidden
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, expired


def declared(table: CommandTable) -> Command:
    """A command as a driver declares it."""
    return Command(
        verb=table.verb,
        title=table.title,
        control=table.control,
        options=tuple(map(_option, table.args)),
        required=tuple(one.name for one in table.args if one.required),
        timeout=table.timeout_s,
    )


def _option(table: ArgumentTable) -> Option:
    return Option(
        name=table.name,
        title=table.title,
        default=table.default,
        low=-inf if table.low is None else table.low,
        high=inf if table.high is None else table.high,
    )


def forbidden(file: DeviceFile, asking: Asking) -> Iterator[Forbidden]:
    """What the link of the device refuses."""
    for table in file.forbidden:
        yield Forbidden(table.title, asking.outline(parse_template(table.send), parse_bytes(table.end)))


def forbidden_complaints(file: DeviceFile, asking: Asking) -> Iterator[Complaint]:
    """Requests that the same file forbids."""
    never = tuple(forbidden(file, asking))
    for number, request in enumerate(file.request):
        packet = Packet(_example(file, request, asking))
        for command in never:
            if command.names(packet):
                text = f"[[forbidden]] '{command.title}' never lets it pass"
                yield value_mistake(("request", number, "send"), request.send, text)


def _example(file: DeviceFile, request: RequestTable, asking: Asking) -> bytes:
    template: Template = parse_template(request.send)
    given = {one.name: one.default for one in file.option}
    given |= {one.name: one.start + one.plus for one in file.counter}
    given |= {one.name: one.default for command in file.command for one in command.args}
    return asking.request(template, dict.fromkeys(asking.slots(template), 0) | given)


@dataclass(slots=True)
class _Begun:
    call: Call
    table: CommandTable


class Commanding:
    """The commands of one open link: those that wait, and the one that the device was told."""

    def __init__(self, file: DeviceFile) -> None:
        self._tables = {table.verb: table for table in file.command}
        self._waiting: deque[Call] = deque()
        self._begun: _Begun | None = None
        self._ended: list[Ended] = []

    def take(self, call: Call) -> None:
        """A command, to be begun when the line is free."""
        self._waiting.append(call)

    @property
    def waits(self) -> bool:
        """Whether there is one to begin."""
        return bool(self._waiting)

    def next(self, now: float) -> tuple[str, Call] | None:
        """The request of the next one whose time is not over, and what it was given."""
        while self._waiting:
            call = self._waiting.popleft()
            if now <= call.expires:
                table = self._tables[call.verb]
                self._begun = _Begun(call, table)
                return table.request, call
            self._ended.append(expired(call))
        return None

    def sent(self) -> None:
        """Nothing answers the one that was begun: it is done."""
        self._end(CommandState.DONE, "", {})

    def answered(self, request: str, values: Values, refusal: str) -> None:
        """An answer to `request` came; `refusal`: why the device does not do it."""
        if self._begun is None or self._begun.table.request != request:
            return
        result = {name: _plain(values.get(field)) for name, field in self._begun.table.result.items()}
        if refusal:
            self._end(CommandState.REJECTED, f"the device says: {refusal}", {})
        else:
            self._end(CommandState.DONE, "", result)

    def late(self, request: str) -> None:
        """`request` was not answered."""
        if self._begun is not None and self._begun.table.request == request:
            self._end(CommandState.TIMEOUT, "the device did not answer", {})

    def ended(self) -> tuple[Ended, ...]:
        """What has ended since this was asked."""
        out, self._ended = tuple(self._ended), []
        return out

    def end(self, ended: Ended) -> None:
        """One has come to its end."""
        self._ended.append(ended)

    def _end(self, state: CommandState, why: str, result: dict[str, str | float | bool | None]) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            self._ended.append(Ended(begun.call.number, state, why, result))


def _plain(value: object) -> str | float | bool | None:
    """A field as a result can hold it."""
    if isinstance(value, str | float | bool | None):
        return value
    return value.hex() if isinstance(value, bytes) else int(value) if isinstance(value, int) else str(value)
