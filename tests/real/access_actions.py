"""What each role of the contract must not do, and a try at it against a running broker."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace

from devicehub.model.errors import DeliveryRefusedError
from devicehub.model.message import Kind
from devicehub.publish.mqtt import Incoming, connect, subscribe
from tests.real.access_world import EXERCISE, REAL, Secured, topic
from tests.real.mqtt_ends import message

LANE1, LANE2 = f"{REAL}/lane1", f"{REAL}/lane2"


@dataclass(frozen=True)
class Write:
    """Publish to a topic; an empty retained message deletes what stands there."""

    topic: str
    payload: bytes = b"{}"
    retain: bool = False


@dataclass(frozen=True)
class Will:
    """Leave a will for a topic."""

    topic: str


@dataclass(frozen=True)
class Read:
    """Subscribe to `filter` and see `probe`, which `by` publishes; nobody need publish it where it is the broker's own."""

    filter: str
    probe: str
    by: str = ""


Action = Write | Will | Read

# A topic that the role may read, and who may write it: what comes after a probe proves that the probe does not come.
MARKERS: Mapping[str, tuple[str, str]] = {
    "lane1": (f"{LANE1}/cmd/hub/identify", "technician"),
    "soc": (f"{LANE1}/status", "lane1"),
    "technician": (f"{LANE1}/status", "lane1"),
    "privacy": (topic(Kind.SCAN, "lane1"), "lane1"),
    "consumer": (f"{LANE1}/status", "lane1"),
    "training": (f"{EXERCISE}/lane1/status", "lane1"),
    "bcp-north": (f"{LANE1}/cmd/hub/identify", "technician"),
}
# At the centre a status comes from the station's bridge.
AT_CENTRE = ("bcp-north", "bcp-south")

COMMAND = f"{LANE2}/cmd/hub/reload"
RECEIPT = f"{LANE2}/receipt/consumer"
BROKERS_OWN = Read("$SYS/#", "$SYS/broker/version")


def _reads(node: str, *kinds: Kind) -> list[Action]:
    return [Read(f"devicehub/v1/+/+/{kind}/#", topic(kind, node), node) for kind in kinds]


FORBIDDEN: Mapping[str, list[Action]] = {
    "lane1": [
        Write(topic(Kind.ALARM, "lane2"), retain=True),
        Write(topic(Kind.ALARM, "lane2"), b"", retain=True),
        Write(topic(Kind.EVENT, "lane1", site="bcp-south")),
        Write(f"{LANE1}/cmd/hub/reload"),
        Write(f"{LANE1}/receipt/consumer", retain=True),
        Write(f"{LANE1}/anything"),
        Write(LANE1),
        Write(topic(Kind.STATUS, "lane2", exercise=True)),
        Will(f"{LANE2}/status"),
        Read(f"{REAL}/+/cmd/#", COMMAND, "technician"),
        Read(f"{REAL}/+/receipt/#", RECEIPT, "consumer"),
        Read("#", topic(Kind.READING, "lane2"), "lane2"),
        *_reads("lane2", Kind.SCAN),
        BROKERS_OWN,
    ],
    "soc": [
        Write(topic(Kind.ALARM, "lane1"), retain=True),
        Write(topic(Kind.ALARM, "lane1"), b"", retain=True),
        Write(topic(Kind.EVENT, "lane1")),
        Write(f"{LANE1}/cmd/hub/ack"),
        Write(topic(Kind.EVENT, "soc")),
        Will(f"{LANE1}/status"),
        *_reads("lane2", Kind.READING, Kind.SCAN, Kind.FRAME, Kind.CAPTURE, Kind.RESULT),
        Read("devicehub/v1/#", COMMAND, "technician"),
        Read("devicehub-sim/#", topic(Kind.ALARM, "lane2", exercise=True), "lane2"),
        BROKERS_OWN,
    ],
    "technician": [
        Write(topic(Kind.ALARM, "lane1"), b"", retain=True),
        Write(topic(Kind.READING, "lane1")),
        Write(topic(Kind.EVENT, "lane1")),
        Write(f"{LANE1}/res/hub/reload"),
        Write(f"{LANE1}/receipt/consumer"),
        Write(topic(Kind.EVENT, "technician")),
        Write(f"{EXERCISE}/lane1/cmd/hub/reload"),
        Will(f"{LANE1}/status"),
        *_reads("lane2", Kind.SCAN),
        Read("#", RECEIPT, "consumer"),
        Read("devicehub-sim/#", topic(Kind.ALARM, "lane2", exercise=True), "lane2"),
        BROKERS_OWN,
    ],
    "privacy": [
        Write(topic(Kind.SCAN, "lane1")),
        Write(f"{LANE1}/cmd/hub/reload"),
        Write(topic(Kind.SCAN, "privacy")),
        Will(f"{LANE1}/status"),
        *_reads("lane2", Kind.ALARM, Kind.READING, Kind.FRAME, Kind.CAPTURE, Kind.RESULT, Kind.EVENT, Kind.STATE),
        Read("#", COMMAND, "technician"),
        Read("devicehub-sim/#", topic(Kind.SCAN, "lane2", exercise=True), "lane2"),
    ],
    "consumer": [
        Write(f"{LANE1}/receipt/other"),
        Write(f"{LANE1}/cmd/hub/replay"),
        Write(topic(Kind.GAP, "lane1")),
        Write(topic(Kind.EVENT, "lane1")),
        Write(topic(Kind.EVENT, "consumer")),
        Will(f"{LANE1}/status"),
        *_reads("lane2", Kind.SCAN, Kind.FRAME, Kind.STATE),
        Read(f"{REAL}/#", COMMAND, "technician"),
        Read("devicehub-sim/#", topic(Kind.ALARM, "lane2", exercise=True), "lane2"),
        BROKERS_OWN,
    ],
    "training": [
        Write(f"{LANE1}/cmd/hub/reload"),
        Write(topic(Kind.ALARM, "lane1"), retain=True),
        Write(topic(Kind.EVENT, "lane1")),
        Write(topic(Kind.ALARM, "lane1", exercise=True), retain=True),
        Write(topic(Kind.EVENT, "training", exercise=True)),
        Will(f"{LANE1}/status"),
        *_reads("lane2", Kind.ALARM, Kind.READING, Kind.SCAN, Kind.EVENT),
        Read("#", COMMAND, "technician"),
        BROKERS_OWN,
    ],
}

# The certificate of a station's bridge, at the centre. "bcp-south" is another station.
FORBIDDEN_TO_A_SITE: list[Action] = [
    Write(topic(Kind.ALARM, "lane1", site="bcp-south"), retain=True),
    Write(topic(Kind.STATUS, "lane1", site="bcp-south")),
    Write(topic(Kind.SCAN, "lane1")),
    Write(topic(Kind.FRAME, "lane1")),
    Write(f"{LANE1}/cmd/hub/reload"),
    Write(f"{LANE1}/receipt/consumer"),
    Write("devicehub/v1/bcp-north/status"),
    Write(topic(Kind.EVENT, "lane1", site="soc")),
    Will(topic(Kind.STATUS, "lane1", site="bcp-south")),
    Read("devicehub/v1/+/+/cmd/#", "devicehub/v1/bcp-south/lane1/cmd/hub/reload", "technician"),
    Read("devicehub/v1/#", topic(Kind.EVENT, "lane1", site="bcp-south"), "bcp-south"),
    BROKERS_OWN,
]


async def refused(world: Secured, role: str, action: Action) -> bool:
    """Try it. Whether the broker said no so that we notice, or, for a subscription, kept everything back."""
    match action:
        case Write():
            async with connect(world.as_(role)) as publisher:
                return await noticed(publisher.submit(message(action.topic, action.payload, retain=action.retain)))
        case Will():
            return action.topic not in await _last_words(world, role, action)
        case Read():
            return action.probe not in await _seen(world, role, action)


async def _last_words(world: Secured, role: str, action: Will) -> list[str]:
    """What a reader sees when the role vanishes. Mosquitto takes any will and looks at its list when it is due."""
    settings = replace(world.as_(role), identifier=f"mortal-{role}")
    reader = "soc" if role != "soc" else "technician"
    marker, by = MARKERS[reader]
    by = role if role in AT_CENTRE else by
    async with subscribe(world.as_(reader), [action.topic, marker]) as incoming:
        with suppress(_VanishError):
            async with connect(settings, message(action.topic, b"will")):
                before = world.log.read_text().count(settings.identifier)
                raise _VanishError
        async with connect(world.as_(by)) as publisher:
            while world.log.read_text().count(settings.identifier) == before:
                await publisher.submit(message(marker, b"not yet"))
            await publisher.submit(message(marker, b"marker"))
        return await _until(incoming, marker)


class _VanishError(Exception):
    """Left with an exception, a connection just ends, and its will is due."""


async def _until(incoming: AsyncIterator[Incoming], marker: str) -> list[str]:
    """The topics of what arrives before the marker."""
    seen: list[str] = []
    async for one in incoming:
        if one.payload == b"marker":
            return seen
        if one.payload != b"not yet":
            seen.append(one.topic)
    raise AssertionError(f"the subscription ended before {marker} came")


async def noticed(outcome: Awaitable[object]) -> bool:
    """Whether it ends with the broker's no."""
    try:
        await outcome
    except DeliveryRefusedError:
        return True
    return False


async def _seen(world: Secured, role: str, action: Read) -> list[str]:
    """What arrives from the subscription up to the marker; the marker is published after the probe is acknowledged."""
    marker, by = MARKERS[role]
    async with AsyncExitStack() as stack:
        if action.by:
            publisher = await stack.enter_async_context(connect(world.as_(action.by)))
            await publisher.submit(message(action.probe, b"probe", retain=True))
        incoming = await stack.enter_async_context(subscribe(world.as_(role), [action.filter, marker]))
        if action.by:
            await publisher.submit(message(action.probe, b"probe", retain=True))
        last = await stack.enter_async_context(connect(world.as_(by)))
        await last.submit(message(marker, b"marker"))
        return await _until(incoming, marker)
