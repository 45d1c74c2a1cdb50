"""People at the alarm points of a core under test."""

from itertools import count

from devicehub.alarm.acts import Act
from devicehub.core import Core, Outcome
from devicehub.model.alarm import Disposition, Verb
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, AlarmStatisticsData
from tests.unit.core.bench import at, keep_the_contract

FIGURES = "alarm.statistics"
_numbers = count(1)


def act(verb: Verb, point: str = "level-high", **more: object) -> Act:
    """An act of one operator on a point of `dev`, under a command id of its own."""
    given: dict[str, object] = {"device": "dev", "point": point, "why": "because"} | more
    return Act(**{"verb": verb, "command": f"c-{next(_numbers)}", "issuer": "op-1147"} | given)  # type: ignore[arg-type]  # fields by name


def operate(one: Core, what: Act, mono: float) -> Outcome:
    """An act whose messages keep the contract."""
    outcome = one.operate(what, at(mono))
    keep_the_contract(outcome.messages)
    return outcome


def done(one: Core, what: Act, mono: float) -> list[Message]:
    """The messages of an act that is not refused."""
    outcome = operate(one, what, mono)
    assert outcome.refused == ""
    return outcome.messages


def closed(one: Core, point: str, mono: float) -> list[Message]:
    """A detection acknowledged and confirmed."""
    confirm = act(Verb.CONFIRM, point, disposition=Disposition.NUISANCE)
    return [*done(one, act(Verb.ACK, point), mono), *done(one, confirm, mono)]


def tick(one: Core, mono: float) -> list[Message]:
    """What time alone brings to alarms, figures aside."""
    messages = one.tick(at(mono))
    keep_the_contract(messages)
    return [message for message in messages if message.type.startswith("alarm.") and message.type != FIGURES]


def figures(one: Core, mono: float) -> list[AlarmStatisticsData]:
    """The figures that are told at an instant."""
    messages = [message for message in one.tick(at(mono)) if message.type == FIGURES]
    keep_the_contract(messages)
    return [message.data for message in messages if isinstance(message.data, AlarmStatisticsData)]


def alarm(message: Message) -> AlarmData:
    """The data of an alarm's message."""
    assert isinstance(message.data, AlarmData)
    return message.data


def events(messages: list[Message]) -> list[tuple[str, str]]:
    """Type and state of each event of an alarm."""
    return [
        (message.type.removeprefix("alarm."), str(message.data.state))
        for message in messages
        if message.kind is Kind.EVENT and isinstance(message.data, AlarmData)
    ]
