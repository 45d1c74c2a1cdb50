"""A device of every kind of channel, and messages held against the contract."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from math import inf

import msgspec

from devicehub.core import Core, Outcome, Setting
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.driver import Driver, FileLink, Link, SerialLink
from devicehub.model.alarm import Condition, Limit
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.message import Kind, Message, Place
from devicehub.model.reading import Image, Input, Layout, Measurement, Quality, Reading, Sample, Stamp
from devicehub.model.units import Unit
from devicehub.publish.envelope import Encoder
from devicehub.publish.topics import RULES, Lane, stream_of
from tests.contract import violations

CHANNELS = (
    Channel(name="level", title="Level", unit=Unit.NANOGRAM, low=-100.0, high=100.0),
    Channel(name="free", title="Anything", low=-inf),
    Channel(name="battery", title="Battery", unit=Unit.PERCENT, low=0, high=100),
    Channel(name="mode", title="Mode", kind=ChannelKind.STATE, states=("idle", "busy")),
    Channel(name="plasmagram", title="Plasmagram", unit=Unit.PICOAMPERE, kind=ChannelKind.SPECTRUM),
    Channel(name="image", title="Image", unit=Unit.CELSIUS, kind=ChannelKind.IMAGE),
    Channel(name="barcode", title="Barcode", kind=ChannelKind.SCAN),
)
HIGH = Limit("level-high", "dev", "level", Condition.HIGH, 10.0, hysteresis=2.0)
LOW = Limit("level-low", "dev", "level", Condition.LOW, -10.0, hysteresis=2.0)
HOT = Limit("hot", "dev", "image.max", Condition.HIGH, 60.0)
FREE = Limit("free-high", "dev", "free", Condition.HIGH, 10.0)


def driver(link: Link | None = None, *, capabilities: tuple[str, ...] = ("explosives", "narcotics")) -> Driver:
    """A declaration with one channel of each kind."""
    return Driver(
        name="trace.bench",
        title="Bench",
        category=Category.TRACE,
        link=link or SerialLink(),
        channels=CHANNELS,
        capabilities=capabilities,
        stale_after=10.0,
        decode=lambda _: (),
    )


def ids() -> Callable[[], str]:
    """ULIDs that count."""
    numbers = count(1)
    return lambda: f"{next(numbers):026d}"


def core(*limits: Limit, batch: bool = False, publish: Publish = Publish.HASH) -> Core:
    """A core with two devices: `dev`, and `files` that leaves files."""
    return Core(
        Setting(
            devices={"dev": driver(), "files": driver(FileLink(patterns=("*",)))},
            limits=limits,
            scans=ScanPolicy(publish, b"key"),
            rules_digest="sha256:" + "0" * 64,
            batch_readings=batch,
            ids=ids(),
        )
    )


def at(mono: float) -> Stamp:
    """An instant; the wall clock is elsewhere."""
    return Stamp(1_795_500_000.0 + mono, mono)


def said(sample: Sample, mono: float = 1.0, device: str = "dev") -> Reading:
    return Reading(device, at(mono), sample)


def level(value: float, mono: float = 1.0, quality: Quality = Quality.GOOD) -> Reading:
    return said(Measurement("level", value, quality), mono)


def picture(*values: int, layout: Layout = Layout.U8) -> Image:
    """A one-line image."""
    return Image("image", bytes(values), layout, len(values), 1)


def step(one: Core, *inputs: Input) -> Outcome:
    """A step whose messages keep the contract."""
    outcome = one.step(inputs)
    keep_the_contract(outcome.messages)
    return outcome


def keep_the_contract(messages: Iterable[Message]) -> None:
    """Every message can be encoded, and its payload is what the published schema says."""
    encoder = Encoder("site", "node", boot="b", exercise=True)
    for message in messages:
        journalled = RULES[message.kind].lane is Lane.JOURNAL
        payload = encoder.encode(
            message, Place("0" * 8, stream_of(message), 1, 1, message.time) if journalled else None
        )
        if message.data is None:
            assert message.kind is Kind.ALARM
        else:
            assert violations(message.kind, payload) == [], message
            assert b":NaN" not in payload
            assert b":Infinity" not in payload


def kinds(messages: Sequence[Message]) -> list[str]:
    """The messages' kinds, events and alarms with their type."""
    return [one.type if one.kind in {Kind.EVENT, Kind.ALARM} else str(one.kind) for one in messages]


def body(message: Message) -> dict[str, object]:
    """The message's data as it goes over the wire."""
    return msgspec.json.decode(msgspec.json.encode(message.data), type=dict[str, object])
