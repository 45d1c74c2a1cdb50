"""The commands of one device on their way to its session."""

import asyncio

import pytest

from devicehub.commands.line import MOST, Line, LineError
from devicehub.model.command import CommandState
from devicehub.wire.protocol import Ended


def opened() -> tuple[Line, list[int]]:
    line, woken = Line(), list[int]()
    line.open(lambda: woken.append(1))
    return line, woken


async def test_nothing_is_taken_for_a_device_that_is_not_there() -> None:
    line = Line()
    assert line.obstacle == "the device is not connected"
    with pytest.raises(LineError, match="not connected"):
        line.give("beep", {}, 1.0)


async def test_commands_are_taken_in_order_and_each_gets_its_own_end() -> None:
    line, woken = opened()
    first, second = line.give("beep", {"n": 1}, 5.0), line.give("blink", {}, 6.0)
    one, other = line.take(), line.take()
    assert one is not None
    assert other is not None
    assert ((one.verb, one.args, one.expires), other.verb, line.take()) == (("beep", {"n": 1}, 5.0), "blink", None)
    line.ended([Ended(other.number, CommandState.DONE), Ended(one.number, CommandState.FAILED, "no")])
    assert ((await first).why, (await second).state, len(woken)) == ("no", CommandState.DONE, 2)


async def test_so_many_wait_and_no_more() -> None:
    line, _ = opened()
    for _ in range(MOST):
        line.give("beep", {}, 1.0)
    assert line.obstacle.startswith("too many commands")
    call = line.take()
    assert call is not None
    line.ended([Ended(call.number, CommandState.DONE)])
    assert line.obstacle == ""


async def test_a_lost_link_fails_what_was_given_and_forgets_what_waits() -> None:
    line, _ = opened()
    given = [line.give("beep", {}, 1.0) for _ in range(3)]
    line.take()
    line.close()
    ends = [one.state for one in await asyncio.gather(*given)]
    assert (ends, line.take(), line.obstacle) == ([CommandState.FAILED] * 3, None, "the device is not connected")


async def test_the_end_of_a_command_that_nobody_waits_for_any_more_is_passed_over() -> None:
    line, _ = opened()
    given_up = line.give("beep", {}, 1.0)
    given_up.cancel()
    call = line.take()
    assert call is not None
    line.ended([Ended(call.number, CommandState.DONE), Ended(99, CommandState.DONE)])
    assert line.obstacle == ""
