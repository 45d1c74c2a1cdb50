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


def recorded(request: Request, state: CommandState, cause: str = "", name: str = "0" * 26) -> bytes:
    (record, *_) = messages(request, Verdict(state, "", {"n": 1.0}), Stamp(1.0, 1.0), lambda: name, cause)
    return ENCODER.encode(record)


def after_restart(*payloads: bytes) -> dict[str, tuple[str, float]]:
    """State of each command that is recalled at UTC second 900, which is monotonic second 7, and until when."""
    return {known.request.id: (known.state, known.until) for known in recalled(payloads, Stamp(900.0, 7.0))}


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


def test_one_that_can_be_given_again_for_long_keeps_no_room_from_those_behind_it() -> None:
    memory = Memory(capacity=3)
    for name, until in (("a", 3600.0), ("b", 20.0), ("c", 10.0)):
        memory.note(Known(asked(name), CommandState.DONE, until))
    assert memory.has_room(30.0)
    assert [memory.find(name) is not None for name in "abc"] == [True, True, False]


def test_what_is_under_way_is_never_forgotten() -> None:
    memory = Memory(capacity=1)
    memory.note(Known(asked("a"), CommandState.ACCEPTED, until=10.0))
    assert not memory.has_room(1000.0)


def test_a_deadline_that_was_put_off_stays_put_off() -> None:
    memory = Memory(capacity=1)
    memory.note(Known(asked("a"), CommandState.ACCEPTED, until=10.0))
    memory.note(Known(asked("a"), CommandState.ACCEPTED, until=50.0))
    memory.note(Known(asked("a"), CommandState.DONE, until=10.0))
    assert not memory.has_room(40.0)


def test_records_of_earlier_runs_bring_back_each_command_in_its_last_state() -> None:
    done, open_ = asked("a"), asked("b")
    nameless = recorded(asked(""), CommandState.REJECTED)
    payloads = [
        recorded(done, CommandState.ACCEPTED, name="1" * 26),
        recorded(open_, CommandState.ACCEPTED),
        nameless,
        b"damaged",
        recorded(done, CommandState.DONE, "1" * 26),
    ]
    assert after_restart(*payloads) == {"a": (CommandState.DONE, 107.0), "b": (CommandState.ACCEPTED, 107.0)}
    found = {known.request.id: known for known in recalled(payloads, Stamp(900.0, 7.0))}
    assert alike(found["a"].request, done)
    assert found["a"].result == {"n": 1.0}
    assert found["b"].record == "0" * 26


def test_whoever_else_used_the_id_or_gave_it_again_too_late_does_not_hide_that_a_command_died_with_the_hub() -> None:
    accepted = recorded(asked(), CommandState.ACCEPTED)
    stranger = recorded(asked(issuer="somebody"), CommandState.REJECTED)
    late = recorded(asked(), CommandState.REJECTED)
    assert after_restart(accepted, stranger, late) == {"c-1": (CommandState.ACCEPTED, 107.0)}
    assert after_restart(late, stranger, accepted) == {"c-1": (CommandState.ACCEPTED, 107.0)}


def test_what_the_device_said_no_to_did_not_die_with_the_hub() -> None:
    accepted = recorded(asked(), CommandState.ACCEPTED)
    refused = recorded(asked(), CommandState.REJECTED, "0" * 26)
    assert after_restart(accepted, refused) == {"c-1": (CommandState.REJECTED, 107.0)}


def test_what_was_never_begun_is_not_recalled() -> None:
    assert after_restart(recorded(asked(), CommandState.REJECTED)) == {}


def test_one_that_was_given_again_keeps_its_state_and_can_come_as_late_as_it_was_put_off() -> None:
    accepted, done = recorded(asked(), CommandState.ACCEPTED), recorded(asked(), CommandState.DONE, "0" * 26)
    again = recorded(asked(deadline=1500.0), CommandState.DONE, "0" * 26, "2" * 26)
    (known,) = recalled([accepted, done, again], Stamp(900.0, 7.0))
    assert (known.state, known.until, known.record) == (CommandState.DONE, 607.0, "0" * 26)
    meanwhile = recorded(asked(), CommandState.ACCEPTED, "0" * 26, "2" * 26)
    assert after_restart(accepted, meanwhile) == {"c-1": (CommandState.ACCEPTED, 107.0)}


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
    slow = Pace(per_second=0.5, burst=2.0)
    assert [slow.take(at) for at in (0.0, 0.0, 0.0, 1.0, 2.0, 3.0)] == [True, True, False, False, True, False]
