"""A device without a wire: metal detectors, density meters, trace detectors that nothing can be read from, search dogs.

Somebody reads it and enters what it showed, with the command `enter` (`devicehub enter`). The entry is on record, with
who made it, before it is taken; it becomes the same result, reading and alarm as those of a device that is connected.

    outcome   clear, alarm, inconclusive, aborted; of a dog also indication (alarm) and no-indication (clear)
    item      what was screened; the `sample_id` of the result
    finding   what was found, in a word: the alarm point is `found-` and that word
    reading   what the device showed, a number as text with a decimal point, in the unit of the option `unit`
    note      in the words of whoever screened
    at        when it was: ISO 8601 with its zone; empty: now

An entry is taken whole or refused whole. Its alarm is raised and its condition ends at once, since what was found was
found on one item: the alarm stands until somebody has acknowledged and confirmed it, as every detection does.

In a transcript, and of a simulated operator, an entry is a packet: a JSON object of the same arguments.

Source: none; this is the project's own.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from devicehub.driver import Command, Driver, OperatorLink, Options
from devicehub.model.command import CommandState
from devicehub.model.device import Category, Channel, Option, OptionValue
from devicehub.model.errors import ConfigError, ProtocolError, Reason
from devicehub.model.reading import Identified, Identity, Measurement, Outcome, Result, Sample
from devicehub.model.units import Unit
from devicehub.wire.defects import Defects, instant_of, number
from devicehub.wire.findings import finding
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, DeviceProtocol, Ended, Step, expired

KINDS = ("metal-detector", "density-meter", "trace-detector", "radiation-detector", "x-ray-imager", "dog", "search")
_OUTCOMES = MappingProxyType(
    {
        **{one.value: one for one in Outcome},
        "indication": Outcome.ALARM,
        "no-indication": Outcome.CLEAR,
    }
)
ENTER = Command(
    verb="enter",
    title="Enter what was found",
    options=(
        Option(name="outcome", title="What came of it", default="clear", choices=tuple(_OUTCOMES)),
        Option(name="item", title="What was screened", default=""),
        Option(name="finding", title="What was found, in a word", default=""),
        Option(name="reading", title="What the device showed, a number as text", default=""),
        Option(name="note", title="In the words of whoever screened", default=""),
        Option(name="at", title="When it was, ISO 8601 with its zone; empty: now", default=""),
    ),
    required=("outcome",),
)


class Entries:
    """What is entered for one device."""

    def __init__(self, options: Options) -> None:
        facts = ("kind", "model", "serial")
        self._identity = Identity(tuple((name, str(options[name])) for name in facts if options[name]))

    def start(self, now: float) -> Step:
        """Say what the device is."""
        del now
        return Step(samples=(self._identity,) if self._identity.facts else ())

    def on_packet(self, now: float, packet: Packet) -> Step:
        """An entry of a simulated operator, or of a transcript."""
        del now
        try:
            given = msgspec.json.decode(packet.data, type=dict[str, object])
            return Step(samples=samples(ENTER.arguments(given), ""))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return Step(faults=(ProtocolError(Reason.CORRUPT, str(error)),))
        except ConfigError as error:
            return Step(faults=(ProtocolError(Reason.RANGE, str(error)),))

    def on_timer(self, now: float) -> Step:
        """No timer is ever set."""
        del now
        return Step()

    def on_command(self, now: float, call: Call) -> Step:
        """An entry."""
        if now > call.expires:
            return Step(ended=(expired(call),))
        try:
            found = samples(call.args, call.issuer)
        except ConfigError as error:
            return Step(ended=(Ended(call.number, CommandState.REJECTED, str(error)),))
        return Step(samples=found, ended=(Ended(call.number, CommandState.DONE),))


def samples(entry: Mapping[str, OptionValue], operator: str) -> tuple[Sample, ...]:
    """What an entry says, its reading first. Raises `ConfigError` for a reading or a time that is none."""
    item, found, note = (str(entry[name]).strip() for name in ("item", "finding", "note"))
    outcome, at, value = _OUTCOMES[str(entry["outcome"])], _instant(str(entry["at"])), _reading(str(entry["reading"]))
    out: list[Sample] = [] if value is None else [Measurement("reading", value, device_time=at)]
    named = (Identified(found),) if found else ()
    out.append(Result(outcome, item, identified=named, note=note, operator=operator, device_time=at))
    if outcome is Outcome.ALARM:
        text = ": ".join(part for part in (found or "found", item) if part)
        out += finding("found", found, text, value)
    return tuple(out)


def _reading(text: str) -> float | None:
    value = number(text)
    if text.strip() and value is None:
        raise ConfigError(f"reading '{text}': must be a number with a decimal point")
    return value


def _instant(text: str) -> float | None:
    defects = Defects()
    at = instant_of(text, defects) if text.strip() else None
    if defects.texts:
        raise ConfigError(f"at: {defects.texts[0]}")
    return at


def protocol(options: Options) -> DeviceProtocol:
    """Entries of one device."""
    return Entries(options)


def _channels(options: Options) -> tuple[Channel, ...]:
    return (Channel(name="reading", title="What the device showed", unit=Unit(str(options["unit"]))),)


DRIVER = Driver(
    title="Any device without a wire, or a search dog: what its operator enters",
    category=Category.SCREENING,
    link=OperatorLink(),
    channels=_channels({"unit": Unit.ONE}),
    channels_for=_channels,
    options=(
        Option(name="kind", title="What it is", default="search", choices=KINDS),
        Option(name="model", title="Make and model", default=""),
        Option(name="serial", title="Serial number, or the name of the dog", default=""),
        Option(name="unit", title="Unit of its reading", default=Unit.ONE.value, choices=tuple(Unit)),
    ),
    commands=(ENTER,),
    protocol=protocol,
    stale_after=float("inf"),
)
