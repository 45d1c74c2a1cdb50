"""What the hub itself can be told: reload, snapshot, identify, replay, and what people do to alarms."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from devicehub.alarm.acts import RefusedActError, act_of
from devicehub.clock import Clock
from devicehub.commands.line import LineError
from devicehub.commands.request import Request
from devicehub.commands.verbs import CommandError, Result, Verbs
from devicehub.core import Outcome, Station
from devicehub.core.preflights import Asked, RefusedPreflightError
from devicehub.deliver import Delivery
from devicehub.driver import Command, Options
from devicehub.hub.crew import Crew
from devicehub.hub.declared import (
    ALARM_COMMANDS,
    ALL,
    CHANGE_LIMIT,
    CLOSE,
    IDENTIFY,
    IMAGE_WITHIN,
    OPEN,
    PREFLIGHT,
    RELOAD,
    REPLAY,
    SNAPSHOT,
    TEST_BROKER,
)
from devicehub.model.alarm import Verb
from devicehub.model.command import CommandState
from devicehub.model.device import ChannelKind
from devicehub.model.errors import ConfigError, DeliveryError, JournalError
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, CaptureData, InspectionData, PreflightData
from devicehub.model.reading import Reading, Trigger
from devicehub.model.rulebook import LimitWish
from devicehub.model.stream import Stream
from devicehub.pipe import Pipe
from devicehub.process import Sinks

TRIGGER: Final = "command"
_TOLD: Final = (Kind.STATUS, Kind.INFO, Kind.DESCRIBE, Kind.DEVICE, Kind.CAPABILITY, Kind.LANE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What of a running hub its verbs act on. `reload` gives what changed, and raises as `Hub.reload` does.

    `change`: a limit, which gives and raises as `reload`. `echo`: see `SelfTest.echo`. `synchronised`: whether
    the wall clock is known to be right; None where nobody knows.
    """

    station: Station
    pipe: Pipe
    sinks: Sinks
    crew: Crew
    delivery: Delivery
    reload: Callable[[], Awaitable[str]]
    change: Callable[[LimitWish], Awaitable[str]]
    echo: Callable[[], Awaitable[float]]
    synchronised: Callable[[], bool | None]
    clock: Clock


def register(verbs: Verbs, reach: Reach) -> None:
    """Put all verbs of the hub at the port."""
    acts: Mapping[Command, Callable[[Reach, Options, Request], Awaitable[Result]]] = {
        RELOAD: _reload,
        SNAPSHOT: _snapshot,
        IDENTIFY: _identify,
        REPLAY: _replay,
        OPEN: _open,
        CLOSE: _close,
        PREFLIGHT: _preflight,
        TEST_BROKER: _test_broker,
        CHANGE_LIMIT: _change_limit,
    }
    for command, act in acts.items():
        verbs.add(command, partial(act, reach))
    for verb, command in ALARM_COMMANDS.items():
        verbs.add(command, partial(_alarm, verb, reach))


async def _reload(reach: Reach, args: Options, request: Request) -> Result:
    del args, request
    try:
        return {"changed": await reach.reload()}
    except (ConfigError, JournalError) as error:
        raise CommandError(str(error)) from None


async def _test_broker(reach: Reach, args: Options, request: Request) -> Result:
    """Done when a message of this hub has come back."""
    del args, request
    try:
        return {"round_trip_ms": round(await reach.echo() * 1000, 1)}
    except DeliveryError as error:
        raise CommandError(str(error)) from None


async def _change_limit(reach: Reach, args: Options, request: Request) -> Result:
    """Done when it is in force. The author is whoever issued the command."""
    if not request.reason.strip():
        raise CommandError("reason-missing: a change of a limit needs a reason", CommandState.REJECTED)
    wish = LimitWish(
        device=str(args["device"]),
        point=str(args["point"]),
        value=float(args["value"]),
        was=float(args["was"]),
        author=request.issuer,
        reason=request.reason,
    )
    try:
        return {"changed": await reach.change(wish)}
    except (ConfigError, JournalError) as error:
        raise CommandError(str(error)) from None


async def _snapshot(reach: Reach, args: Options, request: Request) -> Result:
    """Done when the image is on disk and its event is too."""
    del request
    device = str(args["device"])
    place = reach.crew.commanded(device)
    if place is None:
        raise CommandError(f"no device '{device}' is configured", CommandState.REJECTED)
    if all(channel.kind is not ChannelKind.IMAGE for channel in place[0].channels):
        raise CommandError(f"{device} gives no images", CommandState.REJECTED)
    captured: asyncio.Future[CaptureData] = asyncio.get_running_loop().create_future()

    def look(message: Message) -> None:
        data = message.data
        wanted = message.device == device and isinstance(data, CaptureData) and data.trigger == TRIGGER
        if wanted and isinstance(data, CaptureData) and not captured.done():
            captured.set_result(data)

    with reach.sinks.heard(look):
        reach.pipe.offer(Reading(device, reach.clock.stamp(), Trigger(TRIGGER)))
        try:
            async with asyncio.timeout(IMAGE_WITHIN):
                data = await captured
        except TimeoutError:
            raise CommandError(f"{device} gave no image within {IMAGE_WITHIN:.0f} s", CommandState.TIMEOUT) from None
    return {"digest": data.digest, "dataref": data.dataref, "size": data.size}


async def _identify(reach: Reach, args: Options, request: Request) -> Result:
    del request
    device = str(args["device"])
    if not device:
        return {"published": reach.sinks.board.again(_TOLD)}
    place = reach.crew.commanded(device)
    if place is None:
        raise CommandError(f"no device '{device}' is configured", CommandState.REJECTED)
    published = reach.sinks.board.again(_TOLD, device)
    driver, line = place
    if driver.command("identify") is None or line.obstacle:
        return {"published": published, "shown": False}
    try:
        ended = await line.give("identify", {}, reach.clock.monotonic() + IDENTIFY.timeout)
    except LineError as error:
        raise CommandError(str(error)) from None
    if ended.state is not CommandState.DONE:
        raise CommandError(ended.why, ended.state)
    return {"published": published, "shown": True}


async def _replay(reach: Reach, args: Options, request: Request) -> Result:
    del request
    try:
        if args["quarantine"]:
            return {"events": reach.delivery.replay_quarantine()}
        named = str(args["stream"])
        for stream in Stream:
            if named in {ALL, stream.value}:
                await reach.delivery.replay(stream, int(args["after"]))
    except JournalError as error:
        raise CommandError(str(error)) from None
    return {}


async def _open(reach: Reach, args: Options, request: Request) -> Result:
    """What was read before the command belongs to what was open before."""
    await reach.pipe.drained(())
    now, desk, reference = reach.clock.stamp(), str(args["desk"]), str(args["reference"])
    return await _inspected(reach, reach.station.open_inspection(desk, reference, request.issuer, request.id, now))


async def _close(reach: Reach, args: Options, request: Request) -> Result:
    """What was read before the command belongs to it."""
    await reach.pipe.drained(())
    now, desk, inspection = reach.clock.stamp(), str(args["desk"]), str(args["inspection"])
    closed = reach.station.close_inspection(desk, inspection, request.issuer, request.reason, now)
    return await _inspected(reach, closed)


async def _inspected(reach: Reach, outcome: Outcome) -> Result:
    """Done when the event is on disk."""
    if outcome.refused:
        raise CommandError(outcome.refused, CommandState.REJECTED)
    await reach.sinks.accept(outcome)
    data = [message.data for message in outcome.messages if isinstance(message.data, InspectionData)][-1]
    ended = {} if data.outcome is None else {"outcome": data.outcome.value}
    return {"inspection": data.inspection, "desk": data.desk, **ended}


async def _preflight(reach: Reach, args: Options, request: Request) -> Result:
    """Done when it has begun and that is on disk."""
    await reach.pipe.drained(())
    dated = reach.synchronised() is not False
    asked = Asked(str(args["desk"]), request.issuer, request.id, bool(args["samples"]), dated)
    try:
        told = reach.station.preflights.begin(asked, reach.clock.stamp())
    except RefusedPreflightError as error:
        raise CommandError(str(error), CommandState.REJECTED) from None
    await reach.sinks.accept(Outcome(told))
    data = next(message.data for message in told if isinstance(message.data, PreflightData))
    return {"preflight": data.preflight, "awaited": len(data.awaited)}


async def _alarm(verb: Verb, reach: Reach, args: Options, request: Request) -> Result:
    """An act on an alarm, by whoever issued the command; its reason is the command's, unless it has its own."""
    now = reach.clock.stamp()
    given = {**args, "why": str(args["why"]) or request.reason}
    try:
        act = act_of(verb.value, request.id, request.issuer, given, now.utc)
    except RefusedActError as error:
        raise CommandError(str(error), CommandState.REJECTED) from None
    outcome = reach.station.operate(act, now)
    await reach.sinks.accept(outcome)
    if outcome.refused:
        raise CommandError(outcome.refused, CommandState.REJECTED)
    states = [message.data for message in outcome.messages if isinstance(message.data, AlarmData)]
    for data in states:
        if data.audit is not None and data.audit.command == request.id:
            return {"alarm": data.alarm, "revision": data.revision, "state": data.state.value}
    return {}
