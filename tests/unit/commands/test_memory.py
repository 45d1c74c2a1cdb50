"""One command, given twice, is carried out once: also after a restart, and whatever the wall clock does."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from devicehub.commands.memory import Known, Memory, alike, recalled
from devicehub.commands.pace import BURST, PER_SECOND, Pace
from devicehub.commands.records import Verdict, messages
from devicehub.commands.request import Reply, Request
from devicehub.model.command import CommandState
from devicehub.model.message import Address, Kind
from devicehub.model.payload import AnswerData
from devicehub.model.payload_command import Scalar
from devicehub.model.reading import Stamp
from devicehub.publish.envelope import Encoder
from tests.contract import violations

ENCODER = Encoder("s", "n", boot="b", exercise=False)


def asked(name: str = "c-1", **changes: Any) -> Request:
    return structs.replace(Request(name, "op", "hub", "ack", 1000.0, {"device": "d"}), **changes)


def recorded(request: Request, state: CommandState) -> bytes:
    (record, *_) = messages(request, Verdict(state, "", {"n": 1.0}), Stamp(1.0, 1.0), lambda: "0" * 26)
    return ENCODER.encode(record)


def test_a_command_is_alike_when_it_asks_for_the_same_wherever_the_answer_goes_and_however_long_there_is_time() -> None:
    other = asked(deadline=2000.0, reply=Reply(Address("t", b"c")), reason="again")
    assert alike(asked(), other)
    changes: list[dict[str, Any]] = [{"verb": "confirm"}, {"target": "d"}, {"args": {}}, {"issuer": "somebody"}]
    for change in changes:
        assert not alike(asked(), asked(**change))


def test_what_can_still_be_given_again_is_never_forgotten() -> None:
    memory = Memory(capacity=2)
    memory.note(Known(asked("a"), CommandState.DONE, until=10.0))
    memory.note(Known(asked("b"), CommandState.DONE, until=20.0))
    assert not memory.has_room(9.0)
    assert memory.has_room(11.0)
    assert (memory.find("a"), memory.find("b") is not None) == (None, True)


def test_records_of_earlier_runs_bring_back_each_command_in_its_last_state() -> None:
    done, open_ = asked("a"), asked("b")
    nameless = recorded(asked(""), CommandState.REJECTED)
    payloads = [
        recorded(done, CommandState.ACCEPTED),
        recorded(open_, CommandState.ACCEPTED),
        nameless,
        b"damaged",
        recorded(done, CommandState.DONE),
    ]
    found = {known.request.id: known for known in recalled(payloads, until=7.0)}
    assert {name: (known.state, known.until) for name, known in found.items()} == {
        "a": (CommandState.DONE, 7.0),
        "b": (CommandState.ACCEPTED, 7.0),
    }
    assert alike(found["a"].request, done)
    assert found["a"].result == {"n": 1.0}


SCALARS = st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=600)


@given(st.sampled_from(CommandState), SCALARS, st.text(st.characters(exclude_categories=()), max_size=600))
def test_whatever_a_driver_gives_the_record_and_the_answer_keep_to_the_contract(
    state: CommandState, value: Scalar, why: str
) -> None:
    told = messages(asked(), Verdict(state, why, {"value": value}), Stamp(1.0, 1.0), lambda: "0" * 26)
    assert [message.kind for message in told] == [Kind.EVENT, Kind.RES]
    for message in told:
        body = msgspec.json.decode(ENCODER.encode(message), type=dict[str, object])
        place = {
            "recordedtime": body["time"],
            "sequence": "000000000001",
            "stream": "events",
            "epoch": "e",
            "position": 1,
        }
        assert violations(message.kind, msgspec.json.encode(body | place)) == []


def test_without_a_legal_address_there_is_a_record_and_no_answer() -> None:
    (record,) = messages(asked(target="", verb=""), Verdict(CommandState.REJECTED), Stamp(1.0, 1.0), lambda: "0" * 26)
    assert not isinstance(record.data, AnswerData)


def test_the_pace_allows_a_burst_and_then_so_many_a_second() -> None:
    pace = Pace()
    assert sum(pace.take(0.0) for _ in range(1000)) == BURST
    assert sum(pace.take(number / 100) for number in range(1000)) == 10 * PER_SECOND - 1
