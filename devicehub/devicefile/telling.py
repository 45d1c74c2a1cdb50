"""What is told when it changes: identity, alarms, capabilities, triggers; and that a file is untested."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from devicehub.devicefile.condition import Condition, parse_condition
from devicehub.devicefile.mapping import alarm, moment, put_in
from devicehub.devicefile.measuring import Make
from devicehub.devicefile.messages import Message
from devicehub.devicefile.parts import Values
from devicehub.devicefile.schema_message import AlarmTable, CapabilityTable, TriggerTable
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import (
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Image,
    Level,
    Measurement,
    Quality,
    Result,
    Sample,
    Scan,
    Spectrum,
    Stored,
    Trigger,
)

_MISSING: Final = object()
UNTESTED: Final = "untested device file"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is made of one message, compiled."""

    makes: tuple[Make, ...]
    identity: Mapping[str, str]
    alarms: tuple[tuple[AlarmTable, Condition], ...]
    capabilities: tuple[tuple[Capability, Condition], ...]
    triggers: tuple[tuple[TriggerTable, Condition], ...]
    watched: tuple[str, ...]
    """The fields that alarms, capabilities and triggers go by."""
    events: bool
    """Whether something is told each time, without a change."""
    changing: bool
    clock: Callable[[Values], float] | None


def meaning(message: Message, makes: tuple[Make, ...]) -> Meaning:
    """The compiled meaning of a message."""
    table = message.table
    given: tuple[AlarmTable | CapabilityTable | TriggerTable, ...] = (*table.alarm, *table.capability, *table.trigger)
    identity = {name: text if "{" in text else f"{{{text}}}" for name, text in table.identity.items()}
    return Meaning(
        makes,
        identity,
        tuple((one, parse_condition(one.when)) for one in table.alarm),
        tuple((_capability(one), parse_condition(one.when)) for one in table.capability),
        tuple((one, parse_condition(one.when)) for one in table.trigger),
        tuple(dict.fromkeys(name for one in given for name in one.when)),
        events=any(one.event for one in table.alarm) or any(not one.when for one in table.trigger),
        changing=bool(given),
        clock=None if table.device_time is None else moment(table.device_time),
    )


def _capability(table: CapabilityTable) -> Capability:
    return Capability(table.name, Level(table.level), Cause(table.cause))


class Teller:
    """Makes samples of messages; remembers what it told last. One serves one open link.

    `silent`: nobody has answered yet, or does any more.
    """

    def __init__(self, meanings: Mapping[str, Meaning], capabilities: Sequence[str], *, untested: bool) -> None:
        """`capabilities`: what the device detects when nothing says that it does not."""
        self._meanings = meanings
        self._capabilities = capabilities
        self._untested = untested
        self._facts: dict[str, str] = {}
        self._alarms: dict[str, bool] = {}
        self._levels: dict[str, Capability] = {}
        self._pressed: set[str] = set()
        self._version = 0
        self._judged: dict[str, tuple[int, list[object]]] = {}
        self.silent = True

    def tell(self, name: str, values: Values, faults: list[ProtocolError]) -> list[Sample]:
        """The samples of a decoded message; a part that makes no sense is added to `faults` and left out."""
        one = self._meanings[name]
        samples: list[Sample] = []
        for make in one.makes:
            try:
                make(values, samples)
            except ProtocolError as error:
                faults.append(error)
        if one.clock is not None and samples:
            samples = _dated(samples, one.clock, values, faults)
        if one.identity:
            samples.extend(self._identity(one, values))
        if one.changing:
            self._judge(name, one, values, samples)
        return [marked(sample) for sample in samples] if self._untested else samples

    def silence(self) -> list[Sample]:
        """Nobody answers: nothing is detected."""
        self.silent = True
        lost = [Capability(name, Level.NONE, Cause.NOT_CONNECTED) for name in self._known()]
        return [capability for capability in lost if self._changed(capability)]

    def heard(self) -> list[Sample]:
        """It answers: what no message speaks of is detected."""
        self.silent = False
        told = {table.name for one in self._meanings.values() for table, _ in one.capabilities}
        full = [Capability(name, Level.FULL) for name in self._capabilities if name not in told]
        news: list[Sample] = [capability for capability in full if self._changed(capability)]
        return [marked(sample) for sample in news] if self._untested else news

    def _known(self) -> Iterable[str]:
        return dict.fromkeys([*self._capabilities, *self._levels])

    def _identity(self, one: Meaning, values: Values) -> Iterator[Sample]:
        facts = {name: put_in(text, values) for name, text in one.identity.items()}
        new = {name: text for name, text in facts.items() if text and self._facts.get(name) != text}
        if new and self._untested and not self._facts:
            new["driver"] = UNTESTED
        self._facts |= new
        if new:
            yield Identity(tuple(new.items()))

    def _judge(self, name: str, one: Meaning, values: Values, samples: list[Sample]) -> None:
        """What has changed; nothing has, if the same fields said the same and nothing else changed since."""
        said = [values.get(field, _MISSING) for field in one.watched]
        if one.events or self._judged.get(name) != (self._version, said):
            samples.extend(self._changes(one, values))
            self._judged[name] = self._version, said

    def _changes(self, one: Meaning, values: Values) -> Iterator[Sample]:
        for table, on in one.alarms:
            active = on(values)
            if table.event or self._alarms.get(table.point) != active:
                yield from self._alarm(table, values, active=active)
        seen: set[str] = set()
        for level, holds in one.capabilities:
            if level.name in seen or not holds(values):
                continue
            seen.add(level.name)
            if self._changed(level):
                yield level
        for trigger, comes in one.triggers:
            yield from self._trigger(trigger, pressed=comes(values))

    def _alarm(self, table: AlarmTable, values: Values, *, active: bool) -> Iterator[Sample]:
        if table.event:
            if active:
                yield alarm(table, values, active=True)
                yield alarm(table, values, active=False)
        else:
            self._version += 1
            self._alarms[table.point] = active
            yield alarm(table, values, active=active)

    def _changed(self, capability: Capability) -> bool:
        if self._levels.get(capability.name) == capability:
            return False
        self._version += 1
        self._levels[capability.name] = capability
        return True

    def _trigger(self, table: TriggerTable, *, pressed: bool) -> Iterator[Sample]:
        if pressed and (table.name not in self._pressed or not table.when):
            yield Trigger(table.name)
        if pressed != (table.name in self._pressed):
            self._version += 1
            (self._pressed.add if pressed else self._pressed.discard)(table.name)


def _dated(
    samples: list[Sample], clock: Callable[[Values], float], values: Values, faults: list[ProtocolError]
) -> list[Sample]:
    """Samples with the time that the device's clock said; as they are, and a fault, where it said none."""
    try:
        said = clock(values)
    except ProtocolError as error:
        faults.append(error)
        return samples
    kinds = Measurement | Spectrum | Image | Scan
    return [replace(sample, device_time=said) if isinstance(sample, kinds) else sample for sample in samples]


def doubted(sample: Sample) -> Sample:
    """A sample of a frame whose check does not match, though that may be the fault of the rule."""
    match sample:
        case Measurement() | Spectrum() | Image() | Scan() if sample.quality is Quality.GOOD:
            return replace(sample, quality=Quality.UNCERTAIN, cause=Cause.CHECKSUM)
        case _:
            return sample


def marked(sample: Sample) -> Sample:
    """A sample that says that nobody tested the file it comes from."""
    match sample:
        case Measurement() | Spectrum() | Image() | Scan() if sample.quality is Quality.GOOD:
            return replace(sample, quality=Quality.UNCERTAIN, cause=Cause.UNTESTED)
        case Capability(level=Level.FULL):
            return replace(sample, level=Level.DEGRADED, cause=Cause.UNTESTED)
        case Stored():
            kept = marked(sample.sample)
            assert isinstance(kept, Measurement | Spectrum | Result)  # as it was
            return replace(sample, sample=kept)
        case DeviceAlarm():
            return replace(sample, text=_reserved(sample.text))
        case Result() | Trigger():
            return replace(sample, note=_reserved(sample.note))
        case _:
            return sample


def _reserved(text: str) -> str:
    """What is said in words, with the reservation before it."""
    return f"{UNTESTED}: {text}" if text else UNTESTED
