"""A request held against what is there: the device or the hub, its declared commands, what the configuration allows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from devicehub.commands.line import Line, LineError
from devicehub.commands.records import Verdict
from devicehub.commands.request import Request
from devicehub.commands.verbs import CommandError, HubVerb, Verbs
from devicehub.driver import Command, Driver, Options
from devicehub.model.command import CommandState
from devicehub.model.errors import ConfigError, DeviceHubError
from devicehub.wire.protocol import Ended

HUB: Final = "hub"


class RefusedError(DeviceHubError):
    """A command is not begun. The same one, given again, is looked at anew."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be commanded now. `device`: driver and line of a device that is configured, else None."""

    verbs: Verbs
    device: Callable[[str], tuple[Driver, Line] | None]


@dataclass(frozen=True, slots=True)
class Job:
    """A command that may be begun. `act` is given the monotonic second up to which it may be.

    `timeout`: seconds that it takes at most. `queued`: it may have to wait before it is begun.
    """

    act: Callable[[float], Awaitable[Verdict]]
    timeout: float
    queued: bool

    def patience(self, now: float, expires: float) -> float:
        """Seconds from `now` after which nobody waits for its end any more."""
        return self.timeout + (max(expires - now, 0.0) if self.queued else 0.0)


def judged(request: Request, scene: Scene) -> Job:
    """How a request is carried out. Raises `RefusedError`."""
    if request.target == HUB:
        verb = scene.verbs.find(request.verb)
        if verb is None:
            raise RefusedError(f"the hub has no command '{request.verb}'{_others(scene.verbs.commands())}")
        return _of_hub(verb, _arguments(verb.command, request), request)
    place = scene.device(request.target)
    if place is None:
        raise RefusedError(f"no device '{request.target}' is configured")
    driver, line = place
    command = driver.command(request.verb)
    if command is None:
        raise RefusedError(f"driver {driver.name} has no command '{request.verb}'{_others(driver.commands)}")
    if command.control and not driver.control:
        raise RefusedError("it changes the device, and the configuration does not say control = true for it")
    args = _arguments(command, request)
    if line.obstacle:
        raise RefusedError(line.obstacle)
    return _of_device(line, command, args, request.issuer)


def _arguments(command: Command, request: Request) -> Options:
    try:
        return command.arguments(request.args)
    except ConfigError as error:
        raise RefusedError(str(error)) from None


def _others(commands: tuple[Command, ...]) -> str:
    return f"; it has {', '.join(command.verb for command in commands)}" if commands else ""


def _of_hub(verb: HubVerb, args: Options, request: Request) -> Job:
    async def act(expires: float) -> Verdict:
        del expires  # it is begun at once
        return Verdict(CommandState.DONE, "", await verb.act(args, request))

    return Job(act, verb.command.timeout, queued=False)


def _of_device(line: Line, command: Command, args: Options, issuer: str) -> Job:
    def act(expires: float) -> Awaitable[Verdict]:
        """Given at once, so that whoever asks next knows how many wait."""
        try:
            done = line.give(command.verb, args, expires, issuer)
        except LineError as error:
            return _lost(error)
        return _told(done)

    return Job(act, command.timeout, queued=True)


async def _told(done: "asyncio.Future[Ended]") -> Verdict:
    ended = await done
    return Verdict(ended.state, ended.why, ended.result)


async def _lost(error: LineError) -> Verdict:
    """The device went away between the judgement and the beginning."""
    raise CommandError(str(error))
