"""`devicehub alarms list`: what stands at this moment, from the broker beside a running hub, else from the journal."""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.alarms_told import JOURNAL
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note, print_json, print_table, say
from devicehub.cli.send import given_topics
from devicehub.cli.watch import settings_of
from devicehub.config import Config
from devicehub.journal import tables
from devicehub.journal.report import reading
from devicehub.lock import is_held
from devicehub.log import escaped
from devicehub.model.alarm import AlarmState
from devicehub.model.errors import ConfigError
from devicehub.model.payload import AlarmData
from devicehub.publish.envelope import stored_alarm, stored_status
from devicehub.publish.mqtt import Incoming, subscribe
from devicehub.publish.settings import BrokerSettings
from devicehub.publish.topics import Topics

PATIENCE: Final = 10.0
AFTER: Final = 0.3
"""Seconds for a broker that does not give what it retains in the order of the subscription."""

PUT_ASIDE: Final = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})
TITLES: Final = ("ALARM", "STATE", "", "PRIORITY", "ABOUT", "VALUE", "SINCE", "TIMES")


class Standing(Struct, frozen=True):
    """An alarm point that is not at rest."""

    device: str
    point: str
    data: AlarmData


def run(args: argparse.Namespace) -> int:
    """Print what stands and what was put aside, the oldest first. 69 when neither hub nor broker says anything.

    10 for whoever asks for it by the exit code, while something stands that is not put aside.
    """
    found = sorted(_found(args), key=lambda one: (one.data.raised, one.device, one.point))
    if args.json:
        shown = [{"device": one.device, "point": one.point, **msgspec.to_builtins(one.data)} for one in found]
        print_json(shown)
    elif found:
        print_table(TITLES, [_row(one) for one in found])
    else:
        say("nothing stands")
    stands = any(one.data.state not in PUT_ASIDE for one in found)
    return Exit.STANDING if args.exit_code and stands else Exit.OK


def _found(args: argparse.Namespace) -> list[Standing]:
    if args.node is None and args.broker is None:
        config = given_config(args)
        if not _runs(config):
            note("no hub runs: this is what stood when the last one ended")
            return list(_of_the_journal(config))
    return asyncio.run(_of_the_broker(settings_of(args), given_topics(args)))


def _runs(config: Config) -> bool:
    """Whether a hub runs here. Who may not look into its folder asks the broker."""
    try:
        return is_held(config.hub.state)
    except ConfigError:
        return True


def _of_the_journal(config: Config) -> Iterator[Standing]:
    place = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise).prefix + "/alarm/"
    with reading(config.hub.state / JOURNAL) as db:
        entries = tables.standing(db)
    for entry in entries:
        if entry.out.topic.startswith(place):
            yield from _legible(entry.out.topic, entry.out.payload)


async def _of_the_broker(settings: BrokerSettings, topics: Topics) -> list[Standing]:
    """What the broker retains. It gives the status of the hub, which is asked for last, after the alarms.

    Raises `DeliveryError`, and `CommandError` where no hub has ever said anything.
    """
    async with subscribe(settings, [f"{topics.prefix}/alarm/+/+", topics.status], qos=0) as messages:
        found = await _retained(messages, topics)
    status = found.pop(topics.status, None)
    if status is None:
        raise CommandError(Exit.UNAVAILABLE, f"the broker knows of no hub {topics.prefix}")
    try:
        state = stored_status(status).state
    except msgspec.MsgspecError:
        raise CommandError(Exit.BAD_INPUT, f"{topics.status} is not the status of a hub") from None
    if state != "online":
        note(f"the hub is {state}: this is what stood when it was heard last")
    return [one for topic, payload in found.items() for one in _legible(topic, payload)]


async def _retained(messages: AsyncIterator[Incoming], topics: Topics) -> dict[str, bytes]:
    """The latest of each topic until the status has come and a little longer. Raises `DeliveryError`.

    What else comes is passed over: the development broker gives more of what it retains than was asked for.
    """
    place = f"{topics.prefix}/alarm/"
    found: dict[str, bytes] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE) as limit:
            async for message in messages:
                if message.topic == topics.status and topics.status not in found:
                    limit.reschedule(asyncio.get_running_loop().time() + AFTER)
                if message.topic == topics.status or message.topic.startswith(place):
                    found[message.topic] = message.payload
    return {topic: payload for topic, payload in found.items() if payload}


def _legible(topic: str, payload: bytes) -> Iterator[Standing]:
    device, point = topic.split("/")[-2:]
    try:
        yield Standing(device, point, stored_alarm(payload))
    except ValueError as error:
        note(f"{device}/{point} is left out, since it is of another make: {error}")


def _row(one: Standing) -> tuple[str, ...]:
    data = one.data
    unit = "" if data.unit is None else f" {data.unit.value}"
    value = "-" if data.value is None else f"{data.value:g}{unit}"
    about = data.category.value if "text" not in data.message.args else f"{data.category}: {data.message.args['text']}"
    name = f"{one.device}/{one.point}"
    return (name, data.state.value, data.letter.value, data.priority.value, escaped(about), value, data.raised,
            str(data.activations))  # fmt: skip
