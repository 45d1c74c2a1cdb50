"""RadiaCode: its clock is set by command alone, in turn, and never while what it recorded waits for its time."""

from datetime import UTC, datetime

import pytest

from devicehub.model.command import CommandState
from devicehub.model.reading import Stored
from devicehub.registry import load_driver
from devicehub.wire.protocol import Call, Commanded
from tests.drivers.radiacode_bench import Bench

NOON = datetime(2026, 3, 9, 12, 34, 56, tzinfo=UTC).timestamp()


def outcome(bench: Bench) -> tuple[CommandState, str]:
    (ended,) = bench.ended
    return ended.state, ended.why


@pytest.mark.parametrize("name", ["radiation.radiacode", "radiation.radiacode_usb"])
def test_the_only_command_changes_the_device_and_needs_control(name: str) -> None:
    assert [(one.verb, one.control) for one in load_driver(name).commands] == [("set-clock", True)]


def test_the_bytes_are_those_of_the_published_program_and_the_time_is_the_hub_s() -> None:
    bench = Bench()
    bench.run(5)
    bench.set_clock(NOON - bench.now)
    assert outcome(bench) == (CommandState.DONE, "")
    assert bench.device.clock == (9, 3, 26, 0, 56, 34, 12, 0)
    (told,) = [data for data in bench.sent if data[4:6] == b"\x04\x0a"]
    assert told[:4] == b"\x0c\0\0\0"


def test_measuring_goes_on_as_before_and_nothing_becomes_history() -> None:
    bench = Bench()
    bench.run(5)
    bench.set_clock(NOON)
    before = len(bench.values("count-rate"))
    bench.run(30)
    assert len(bench.values("count-rate")) >= before + 28
    assert [one for one in bench.samples if isinstance(one, Stored)] == []
    assert bench.faults == []


def test_it_is_not_set_while_records_wait_for_the_time_that_they_are_of() -> None:
    bench = Bench()
    bench.device.do("away", seconds=700)
    bench.run(1.1)
    bench.set_clock(NOON, seconds=0.0)
    assert outcome(bench) == (CommandState.FAILED, "what it recorded is being read")
    assert bench.device.clock == ()
    bench.run(10)
    bench.ended.clear()
    bench.set_clock(NOON)
    assert outcome(bench) == (CommandState.DONE, "")


def test_a_device_that_has_not_spoken_or_a_hub_without_the_time_sets_nothing() -> None:
    protocol = load_driver("radiation.radiacode").open({})
    protocol.start(0.0)
    assert isinstance(protocol, Commanded)
    (ended,) = protocol.on_command(1.0, Call(1, "set-clock", {}, 9.0, epoch=NOON)).ended
    assert (ended.state, ended.why) == (CommandState.TIMEOUT, "the device has not handed over what it recorded")
    bench = Bench()
    bench.run(5)
    bench.set_clock(0.0)
    assert outcome(bench) == (CommandState.FAILED, "the hub's own clock says 1970")
    assert bench.device.clock == ()


def test_without_an_answer_it_is_not_done() -> None:
    bench = Bench()
    bench.run(5)
    bench.cut = True
    bench.set_clock(NOON, seconds=25, within=30.0)
    assert outcome(bench) == (CommandState.TIMEOUT, "the device did not answer")


def test_what_expires_behind_a_request_that_is_not_answered_is_never_sent() -> None:
    bench = Bench()
    bench.run(5)
    bench.cut = True
    bench.run(1)
    bench.set_clock(NOON, seconds=25, within=1.0)
    assert [ended.state for ended in bench.ended] == [CommandState.TIMEOUT]
    assert not [data for data in bench.sent if data[4:6] == b"\x04\x0a"]


def test_a_second_one_is_refused_while_the_first_is_on_its_way() -> None:
    bench = Bench()
    bench.run(5)
    bench.cut = True
    bench.set_clock(NOON, seconds=0.0)
    bench.set_clock(NOON, seconds=0.0)
    assert outcome(bench) == (CommandState.FAILED, "it is being set")


def test_over_usb_nothing_is_sent_before_the_device_is_quiet() -> None:
    protocol = load_driver("radiation.radiacode_usb").open({})
    first = protocol.start(0.0)
    assert isinstance(protocol, Commanded)
    step = protocol.on_command(0.05, Call(1, "set-clock", {}, 9.0, epoch=NOON))
    assert (step.write, step.wake_at) == ((), first.wake_at)
    assert [ended.state for ended in step.ended] == [CommandState.TIMEOUT]
