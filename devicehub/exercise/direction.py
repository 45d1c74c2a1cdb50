"""What an instructor can have the hub of an exercise do: pause, resume, change speed, inject, end."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from devicehub.commands.request import Request
from devicehub.commands.verbs import CommandError, HubVerb, Result
from devicehub.driver import Command, Options
from devicehub.exercise.load import injectable
from devicehub.exercise.performance import Performance
from devicehub.model.command import CommandState
from devicehub.model.device import Option
from devicehub.model.errors import ConfigError

SLOWEST: Final = 0.25
FASTEST: Final = 20.0

PAUSE: Final = Command(verb="exercise-pause", title="Stop the time of the scenario; devices go on")
RESUME: Final = Command(verb="exercise-resume", title="Let the time of the scenario go on")
SPEED: Final = Command(
    verb="exercise-speed",
    title="How many times as fast as the wall clock all goes",
    options=(Option(name="speed", title="Factor", default=1.0, low=SLOWEST, high=FASTEST),),
    required=("speed",),
)
INJECT: Final = Command(
    verb="exercise-inject",
    title="Do now what a scenario could do",
    options=(
        Option(name="do", title="Verb of the scenario language", default=""),
        Option(name="device", title="Device, for a verb that needs one", default=""),
        Option(name="values", title="Values of the verb, a JSON object", default=""),
        Option(name="seconds", title="When it is undone by itself, 0 for never", default=0.0, low=0, high=86_400),
    ),
    required=("do",),
)
END: Final = Command(verb="exercise-end", title="End the exercise; once it is over, hub and page")
COMMANDS: Final = (PAUSE, RESUME, SPEED, INJECT, END)

_Given = Callable[[Performance, Options], Awaitable[None]]


def verbs(performance: Performance) -> tuple[HubVerb, ...]:
    """All of them, for one performance."""
    acts: Mapping[Command, _Given] = {PAUSE: _pause, RESUME: _resume, SPEED: _speed, INJECT: _inject, END: _end}
    return tuple(HubVerb(command, partial(_carried_out, act, performance)) for command, act in acts.items())


async def _carried_out(act: _Given, performance: Performance, args: Options, request: Request) -> Result:
    del request  # who asked is in the command's own record
    await act(performance, args)
    return {"state": performance.state.value, "at": round(performance.at(), 1), "speed": performance.speed}


async def _pause(performance: Performance, args: Options) -> None:
    del args
    performance.pause()


async def _resume(performance: Performance, args: Options) -> None:
    del args
    performance.resume()


async def _speed(performance: Performance, args: Options) -> None:
    performance.hurry(float(args["speed"]))


async def _inject(performance: Performance, args: Options) -> None:
    try:
        values = msgspec.json.decode(str(args["values"]) or "{}", type=dict[str, bool | int | float | str])
        given = {**values, "do": args["do"], "device": args["device"]}
        lasts = {"for": f"{float(args['seconds']):g}s"} if args["seconds"] else {}
        await performance.inject(injectable(performance.scenario, {**given, **lasts}))
    except (msgspec.MsgspecError, ConfigError, ValueError) as error:
        raise CommandError(str(error), CommandState.REJECTED) from None


async def _end(performance: Performance, args: Options) -> None:
    del args
    performance.end()
