"""Generic conformance of commands: a driver that declares one is covered by that."""

import asyncio
import re
from collections.abc import Iterable
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.collect.session import Session
from devicehub.commands.line import Line
from devicehub.driver import Command, Driver, Options
from devicehub.model.command import CommandState
from devicehub.model.errors import LinkLostError, LinkMissingError
from devicehub.model.segment import SEGMENT
from devicehub.registry import driver_names, load_driver, load_simulator
from devicehub.transport.guard import GuardedTransport
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Step

COMMANDED = [name for name in driver_names() if load_driver(name).commands]
EVERY = [(name, command) for name in COMMANDED for command in load_driver(name).commands]
each_command = pytest.mark.parametrize(("name", "command"), EVERY, ids=lambda one: getattr(one, "verb", one))
NEVER = re.compile(r"\b(write|kill|lock|erase|clear|delete|wipe)\b")


def arguments(command: Command) -> Options:
    return command.arguments({option.name: option.default for option in command.options})


def test_some_drivers_take_commands() -> None:
    assert {"thermal.gy_mcu90640", "scanner.zebra_ssi", "trace.ims_reference"} <= set(COMMANDED)
    assert {"scanner.honeywell", "radiation.radiacode", "radiation.gq_gmc"} <= set(COMMANDED)


@each_command
def test_a_declaration_is_complete_and_promises_nothing_that_no_command_may_do(name: str, command: Command) -> None:
    driver = load_driver(name)
    assert SEGMENT.fullmatch(command.verb)
    assert not NEVER.search(command.verb)
    assert command.title
    assert sum(one.verb == command.verb for one in driver.commands) == 1
    assert set(command.required) <= {option.name for option in command.options}
    assert command.control or not command.verb.startswith(("set-", "start-", "stop-", "abort-"))
    assert isinstance(driver.open({}), Commanded)


@each_command
def test_a_command_that_has_expired_is_not_begun(name: str, command: Command) -> None:
    protocol = load_driver(name).open({})
    quiet = _until_idle(protocol.start(0.0), protocol)
    assert isinstance(protocol, Commanded)
    given = protocol.on_command(quiet, Call(1, command.verb, arguments(command), expires=quiet - 1))
    steps = [given]
    while not any(step.ended for step in steps):
        wake = steps[-1].wake_at
        assert wake is not None
        steps.append(protocol.on_timer(wake))
    (ended,) = [ended for step in steps for ended in step.ended]
    assert (ended.number, ended.state) == (1, CommandState.TIMEOUT)
    assert len(steps) < 50


def _until_idle(step: Step, protocol: object) -> float:
    """Past the start of a conversation that nobody answers."""
    now = 0.0
    while step.wake_at is not None and step.wake_at <= 20.0:
        now = max(now, step.wake_at)
        step = protocol.on_timer(now)  # type: ignore[attr-defined]  # a protocol
    return max(now, 20.0)


@each_command
async def test_the_simulator_understands_it(name: str, command: Command) -> None:
    (state, why) = await _given(load_driver(name), command)
    assert state in {CommandState.DONE, CommandState.REJECTED}, why
    assert state is CommandState.DONE or why.startswith("the device says"), why


@each_command
async def test_each_ends_once_in_time_with_a_device_that_falls_silent(name: str, command: Command) -> None:
    (state, why) = await _given(load_driver(name), command, silent=True)
    assert state in {CommandState.TIMEOUT, CommandState.DONE}, why


def _lost(packets: Iterable[Packet]) -> None:
    """The device's words do not arrive."""


async def _given(driver: Driver, command: Command, *, silent: bool = False) -> tuple[CommandState, str]:
    """What becomes of a command, given to the simulator after ten seconds, or to one that was cut off from its line."""
    clock, line = Clock(seed=1), Line()
    simulator = load_simulator(driver.name)(Random(3))
    port = SimulatedPort(driver.link, lambda: simulator, clock)
    transport = await port.open()
    if silent:
        transport.push = _lost  # type: ignore[method-assign]  # what the device says does not arrive
    guarded = GuardedTransport(transport, driver.forbidden, driver.allowed)
    session = Session("dev", driver.open({}), lambda _: None, lambda _: None, clock, line)
    task = asyncio.create_task(session.run(guarded, lambda: None))
    await clock.sleep(10)
    done = line.give(command.verb, arguments(command), clock.monotonic() + 20)
    async with asyncio.timeout(20 + command.timeout):
        ended = await done
    port.unplug()
    with pytest.raises((LinkLostError, LinkMissingError)):
        await task
    return ended.state, ended.why
