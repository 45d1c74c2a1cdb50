"""The checks before a shift that are under way, at most one at each desk, and the known samples they wait for. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec.structs import replace

from devicehub.core import preflight
from devicehub.core.preflight import Today
from devicehub.core.published import Published
from devicehub.model.inspection import InspectionDesk
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import PreflightCheckData, PreflightData
from devicehub.model.preflight import CheckReason, KnownSample, Needs, PreflightOutcome
from devicehub.model.reading import Input, Quality, Reading, Scan, Stamp

BEGUN: Final = "preflight.begun"
ENDED: Final = "preflight.ended"


class RefusedPreflightError(Exception):
    """It is not begun; the text says why."""


class Asked(NamedTuple):
    """What is asked for. `desk` empty: the devices that belong to none. `by`, `command`: issuer and id of the command.

    `samples`: whether known samples are going to be shown. `dated`: False where the date is known to be uncertain.
    """

    desk: str
    by: str
    command: str
    samples: bool
    dated: bool


@dataclass(slots=True)
class _Preflight:
    """One that waits. `awaited`: the known samples that have not been found yet, by device. `dated`: as of `Asked`."""

    start: PreflightData
    began: Stamp
    deadline: float
    awaited: dict[str, KnownSample]
    dated: bool
    found: dict[str, PreflightCheckData] = field(default_factory=dict[str, PreflightCheckData])


class Preflights:
    """Those of one workstation."""

    def __init__(self, ids: Callable[[], str], published: Published) -> None:
        """`published`: what is known of the devices."""
        self._ids = ids
        self._published = published
        self._desks: Mapping[str, tuple[str, ...]] = {}
        self._needs: Mapping[str, Needs] = {}
        self._open: dict[str, _Preflight] = {}

    def revise(
        self, desks: Sequence[InspectionDesk], devices: Iterable[str], needs: Mapping[str, Needs], now: Stamp
    ) -> list[Message]:
        """Other desks, devices and needs from now on; the ends of those at desks that are not what they were."""
        seated = {device for desk in desks for device in desk.devices}
        rest = tuple(device for device in devices if device not in seated)
        places = {desk.name: desk.devices for desk in desks} | ({"": rest} if rest else {})
        changed = {device for device in {*self._needs, *needs} if self._needs.get(device) != needs.get(device)}
        gone = [
            name
            for name, one in self._open.items()
            if places.get(name) != one.start.devices or changed.intersection(one.start.devices)
        ]
        told = [self._end(name, now, PreflightOutcome.INTERRUPTED) for name in gone]
        self._desks, self._needs = places, needs
        return told

    def begin(self, asked: Asked, now: Stamp) -> list[Message]:
        """Begin one; it ends at once where there is nothing to wait for. Raises `RefusedPreflightError`."""
        desk, samples = asked.desk, asked.samples
        devices = self._place(desk)
        awaited = {device: sample for device in devices if (sample := self._sample(device)) is not None}
        seconds = sum(sample.within for sample in awaited.values()) if samples else 0.0
        shown = (preflight.sample_missed(device, one, CheckReason.NOT_SHOWN) for device, one in awaited.items())
        start = PreflightData(
            preflight=self._ids(),
            desk=desk,
            began=instant(now.utc),
            until=instant(now.utc + seconds),
            by=asked.by,
            command=asked.command,
            devices=devices,
            awaited=tuple(awaited) if samples else (),
            checks=(*self._checks(devices, Today(_date(now), asked.dated)), *shown),
        )
        one = _Preflight(start, now, now.mono + seconds, awaited if samples else {}, asked.dated)
        self._open[desk] = one
        told = [self._message(BEGUN, now, start)]
        return told if one.awaited else [*told, self._end(desk, now)]

    def read(self, inputs: Iterable[Input]) -> None:
        """What was scanned may be a known text; nothing of it is told but that it was read."""
        for item in inputs if self._open else ():
            if isinstance(item, Reading) and isinstance(item.sample, Scan):
                self._scanned(item, item.sample)

    def hear(self, messages: Iterable[Message]) -> None:
        """What is going to be published may be of a known sample."""
        if not self._open:
            return
        for message in messages:
            for one in self._open.values():
                sample = one.awaited.get(message.device)
                if sample is None or message.mono < one.began.mono:
                    continue
                found = preflight.sample_found(message.device, sample, message.point, message.data)
                self._note(one, message.device, found)

    def settle(self, now: Stamp) -> list[Message]:
        """The ends of those that wait for nothing any more, or whose time is over."""
        over = [name for name, one in self._open.items() if not one.awaited or now.mono >= one.deadline]
        return [self._end(name, now) for name in over]

    def finish(self, now: Stamp) -> list[Message]:
        """The hub ends, and with it all that wait."""
        return [self._end(name, now, PreflightOutcome.INTERRUPTED) for name in list(self._open)]

    def _scanned(self, item: Reading, scan: Scan) -> None:
        text = scan.data.decode("utf-8", "backslashreplace").strip()
        for one in self._open.values():
            sample = one.awaited.get(item.device)
            if sample is not None and sample.text == text and scan.quality is Quality.GOOD:
                self._note(one, item.device, preflight.sample_read(item.device, sample))

    def _note(self, one: _Preflight, device: str, found: PreflightCheckData | None) -> None:
        if found is not None:
            one.found[device] = found
            del one.awaited[device]

    def _place(self, desk: str) -> tuple[str, ...]:
        if desk in self._open:
            raise RefusedPreflightError(f"a preflight is under way at {desk or 'the devices of no desk'} already")
        if desk not in self._desks:
            there = ", ".join(name for name in self._desks if name) or "none"
            what = f"no desk '{desk}'" if desk else "no device that belongs to no desk"
            raise RefusedPreflightError(f"{what}; desks: {there}")
        return self._desks[desk]

    def _sample(self, device: str) -> KnownSample | None:
        needs = self._needs.get(device)
        return None if needs is None else needs.sample

    def _checks(self, devices: Iterable[str], today: Today) -> Iterator[PreflightCheckData]:
        for device in devices:
            yield from preflight.checks(device, self._published, self._needs.get(device), today)

    def _found(self, one: _Preflight, outcome: PreflightOutcome | None, now: Stamp) -> Iterator[PreflightCheckData]:
        """All checks, device by device, each with what came of its known sample."""
        missed = CheckReason.NOT_FOUND if one.deadline > one.began.mono else CheckReason.NOT_SHOWN
        why = CheckReason.ENDED if outcome is PreflightOutcome.INTERRUPTED else missed
        today = Today(_date(now), one.dated)
        for device in one.start.devices:
            yield from self._checks([device], today)
            sample, needs = self._sample(device), self._needs.get(device)
            if needs is None:
                yield preflight.sample_unconfigured(device)
            elif device in one.found:
                yield one.found[device]
            elif sample is not None:
                yield preflight.waived(preflight.sample_missed(device, sample, why), needs)

    def _end(self, name: str, now: Stamp, outcome: PreflightOutcome | None = None) -> Message:
        one = self._open.pop(name)
        found = tuple(self._found(one, outcome, now))
        data = replace(
            one.start,
            awaited=tuple(one.awaited),
            checks=found,
            ended=instant(now.utc),
            outcome=outcome or preflight.outcome_of(found),
        )
        return self._message(ENDED, now, data)

    def _message(self, word: str, now: Stamp, data: PreflightData) -> Message:
        return Message(
            kind=Kind.EVENT,
            type=word,
            id=self._ids(),
            time=now.utc,
            mono=now.mono,
            data=data,
            device=data.desk,
            causation=data.command if word == BEGUN else "",
        )


def _date(now: Stamp) -> str:
    return instant(now.utc)[: len("2026-11-30")]
