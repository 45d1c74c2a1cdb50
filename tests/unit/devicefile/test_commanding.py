"""Commands of a device file: in turn, judged, ended once; and no other way to a request that changes something."""

from pathlib import Path

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import driver, load
from devicehub.devicefile.simulate import trial
from devicehub.model.command import CommandState
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.problems import ConfigProblems
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, Step
from tests.unit.devicefile.files import SMALL, write

FILE = (
    SMALL.replace(
        "[[request]]",
        """\
[[message]]
name = "set"
match = { kind = 2 }
fields = [{ name = "limit", type = "u8" }]
[[message]]
name = "no"
match = { kind = 3 }
fields = [{ name = "why", type = "u8" }]
refused = "reason {why}"
[[forbidden]]
title = "wipe it"
send = "09"
[[command]]
verb = "set-limit"
title = "Set the limit"
request = "set"
args = [{ name = "limit", title = "Limit", default = 10, low = 1, high = 50, required = true }]
result = { now = "limit" }
[[command]]
verb = "beep"
title = "Beep"
request = "beep"
control = false
timeout_s = 20.0
[[request]]
name = "set"
send = "02 {limit:u8}"
replies = ["set", "no"]
timeout_s = 0.5
[[request]]
name = "beep"
send = "04"
[[request]]""",
        1,
    )
    + "[simulate.values]\nset = { limit = 7 }\n"
)
LEVEL, SET, NO = (bytes.fromhex(text) for text in ("03 01 32 36", "03 02 07 0c", "03 03 05 0b"))


def opened(folder: Path) -> Conversation:
    return Conversation(load(write(folder, FILE)), {})


def idle(folder: Path) -> Conversation:
    """Its first poll was answered; the next is due in a second."""
    protocol = opened(folder)
    protocol.start(0.0)
    protocol.on_packet(0.1, Packet(LEVEL))
    return protocol


def sent(step: Step) -> list[str]:
    return [packet.data.hex(" ") for packet in step.write]


def test_it_is_declared_with_its_arguments(tmp_path: Path) -> None:
    limit, beep = driver(load(write(tmp_path, FILE)), "trace.probe").commands
    assert (limit.verb, limit.control, limit.required) == ("set-limit", True, ("limit",))
    assert limit.arguments({"limit": 12}) == {"limit": 12}
    with pytest.raises(ConfigError, match=r"must be from 1\.0 to 50\.0"):
        limit.arguments({"limit": 51})
    assert [(one.name, one.title, one.default) for one in limit.options] == [("limit", "Limit", 10)]
    assert (beep.control, beep.options, beep.timeout, limit.timeout) == (False, (), 20.0, 10.0)


def test_it_is_sent_at_once_on_a_free_line_and_its_answer_is_the_result(tmp_path: Path) -> None:
    protocol = idle(tmp_path)
    assert sent(protocol.on_command(0.2, Call(4, "set-limit", {"limit": 7}, 5.0))) == ["03 02 07 0c"]
    assert protocol.on_packet(0.3, Packet(SET)).ended == (Ended(4, CommandState.DONE, "", {"now": 7}),)


def test_it_waits_for_what_is_in_flight(tmp_path: Path) -> None:
    protocol = opened(tmp_path)
    protocol.start(0.0)
    assert sent(protocol.on_command(0.1, Call(1, "beep", {}, 5.0))) == []
    step = protocol.on_packet(0.2, Packet(LEVEL))
    assert sent(step)[0] == "02 04 06"
    assert step.ended == (Ended(1, CommandState.DONE),)


def test_what_the_device_refuses_is_rejected_in_its_words(tmp_path: Path) -> None:
    protocol = idle(tmp_path)
    protocol.on_command(0.2, Call(4, "set-limit", {"limit": 7}, 5.0))
    assert protocol.on_packet(0.3, Packet(NO)).ended == (Ended(4, CommandState.REJECTED, "the device says: reason 5"),)


def test_what_is_not_answered_ends_in_time_and_the_next_has_its_turn(tmp_path: Path) -> None:
    protocol = idle(tmp_path)
    protocol.on_command(0.2, Call(4, "set-limit", {"limit": 7}, 5.0))
    protocol.on_command(0.3, Call(5, "beep", {}, 5.0))
    step = protocol.on_timer(0.7)
    assert [(one.number, one.state) for one in step.ended] == [(4, CommandState.TIMEOUT), (5, CommandState.DONE)]
    assert sent(step) == ["02 04 06"]


def test_what_came_too_late_is_never_sent(tmp_path: Path) -> None:
    protocol = idle(tmp_path)
    step = protocol.on_command(0.2, Call(4, "set-limit", {"limit": 7}, 0.1))
    assert sent(step) == []
    assert [(one.number, one.state) for one in step.ended] == [(4, CommandState.TIMEOUT)]


def test_an_answer_to_something_else_ends_no_command(tmp_path: Path) -> None:
    protocol = idle(tmp_path)
    protocol.on_command(0.2, Call(4, "set-limit", {"limit": 7}, 5.0))
    assert protocol.on_packet(0.3, Packet(LEVEL)).ended == ()


def test_the_simulator_answers_it(tmp_path: Path) -> None:
    assert trial(load(write(tmp_path, FILE))).receive(bytes.fromhex("03 02 07 0c")) == [SET]


MISTAKES = [
    ('timeout_s = 0.5\n[[request]]\nname = "beep"', 'period_s = 5\n[[request]]\nname = "beep"', "by its command alone"),
    ("[[vector]]", '[conversation]\nstart = ["set"]\n[[vector]]', "by its command alone"),
    ('send = "04"', 'send = "09"', "[[forbidden]] 'wipe it' never lets it pass"),
    ('request = "set"', 'request = "sett"', "did you mean 'set'?"),
    ('result = { now = "limit" }', 'result = { now = "limits" }', "did you mean 'limit'?"),
    ('verb = "beep"', 'verb = "set-limit"', "already used by command[0]"),
    ('send = "04"', 'send = "04 {limit:u8}"', "there is no such option or counter"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), MISTAKES, ids=[words for _, _, words in MISTAKES])
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert FILE.count(old) == 1
    with pytest.raises(ConfigProblems) as caught:
        load(write(tmp_path, FILE.replace(old, new)))
    assert words in str(caught.value)
