"""Inspections at the desks of one workstation: opened, gathered, closed; what belongs to one carries its id. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from devicehub.core.inspection import Inspection, interrupted
from devicehub.core.published import Published
from devicehub.core.scans import Publish, ScanPolicy, scan_data
from devicehub.core.standing import StandingAlarm
from devicehub.core.watchlist import entry
from devicehub.model.inspection import Ending, InspectionDesk, OpenedBy
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, InspectionData
from devicehub.model.reading import Input, Quality, Reading, Scan, Stamp, Trigger

OPENED: Final = "inspection.opened"
ENDED: Final = "inspection.ended"
REFERENCE_MOST: Final = 64
_TIMED: Final = frozenset({Kind.READING, Kind.RESULT, Kind.FRAME, Kind.CAPTURE, Kind.SCAN})
_CARRIES: Final = _TIMED | {Kind.ALARM, Kind.EVENT, Kind.GAP}


class RefusedInspectionError(Exception):
    """An inspection that is not opened or closed; the text says why."""


class Inspections:
    """At most one at each desk."""

    def __init__(self, ids: Callable[[], str], published: Published) -> None:
        """`published`: what is known of capabilities and alarms when an inspection is opened."""
        self._ids = ids
        self._published = published
        self._desks: Mapping[str, InspectionDesk] = {}
        self._desk_of: Mapping[str, InspectionDesk] = {}
        self._scans = ScanPolicy(Publish.OFF, b"")
        self._open: dict[str, Inspection] = {}

    def revise(self, desks: Sequence[InspectionDesk], scans: ScanPolicy, now: Stamp) -> list[Message]:
        """Other desks from now on; the end of what is open at one that is not there any more."""
        self._desks, self._scans = {desk.name: desk for desk in desks}, scans
        self._desk_of = {device: desk for desk in desks for device in desk.devices}
        gone = [name for name in self._open if name not in self._desks]
        return [message for name in gone for message in self._end(name, Ending.REMOVED, now)]

    def resume(self, left: Iterable[InspectionData], standing: Sequence[StandingAlarm], now: Stamp) -> list[Message]:
        """The ends of those that were open when the last run of the hub died."""
        alarms = [(one.device, one.point, one.data) for one in standing]
        return [message for data in left for message in self._told_end(interrupted(data, alarms), now)]

    def openings(self, inputs: Sequence[Input]) -> Iterator[int]:
        """Places of inputs with which devices open inspections. Call `begin` at each before going on to the next."""
        if self._desk_of:
            yield from (place for place, item in enumerate(inputs) if self._opens(item))

    def _opens(self, item: Input) -> bool:
        if not isinstance(item, Reading):
            return False
        desk = self._desk_of.get(item.device)
        if desk is None:
            return False
        sample = item.sample
        if isinstance(sample, Trigger):
            return sample.name in desk.buttons
        return isinstance(sample, Scan) and self._opening(desk, sample)

    def begin(self, item: Reading) -> list[Message]:
        """Open one by what a device did, see `openings`."""
        desk, sample = self._desk_of[item.device], item.sample
        start = self._start(desk, item.at, OpenedBy.BUTTON, device=item.device)
        if not isinstance(sample, Scan):
            return self._begin(desk, start, item.at)
        shown = self._scans.publish is not Publish.OFF
        subject = scan_data(sample, self._scans).hash if shown else ""
        return self._begin(
            desk, replace(start, how=OpenedBy.SCAN, subject=subject), item.at, entry(_text(sample), self._scans.key)
        )

    def open(self, desk: str, reference: str, by: tuple[str, str], now: Stamp) -> list[Message]:
        """Open one. `desk` empty: the only one. `by`: issuer and id of the command. Raises `RefusedInspectionError`."""
        if len(reference) > REFERENCE_MOST or not (reference.isprintable() or not reference):
            raise RefusedInspectionError(f"reference must be at most {REFERENCE_MOST} printable characters")
        place = self._place(desk)
        start = self._start(place, now, OpenedBy.COMMAND, by=by[0], command=by[1], reference=reference)
        return self._begin(place, start, now)

    def close(self, desk: str, inspection: str, by: tuple[str, str], now: Stamp) -> list[Message]:
        """End the one at a desk, or that of an id. `by`: who, with what note. Raises `RefusedInspectionError`."""
        name = next((name for name, one in self._open.items() if one.start.inspection == inspection), "")
        if inspection and (not name or desk not in {"", name}):
            raise RefusedInspectionError(f"no inspection {inspection} is open there")
        name = name or self._place(desk).name
        if name not in self._open:
            raise RefusedInspectionError(f"no inspection is open at {name}")
        return self._end(name, Ending.CLOSED, now, *by)

    def carried(self, messages: list[Message]) -> list[Message]:
        """The same messages, with the id of the inspection that they belong to; it takes note of them."""
        if not self._open:
            return messages
        return [self._carried(message) for message in messages]

    def tick(self, now: Stamp) -> list[Message]:
        """Once a second: those whose time is over, and how far the others have come."""
        told: list[Message] = []
        for name, one in list(self._open.items()):
            if now.mono >= one.deadline:
                late = now.mono - one.deadline
                told += self._end(name, Ending.TIMED_OUT, Stamp(now.utc - late, one.deadline))
            elif one.is_due(now):
                told.append(self._message(Kind.INSPECTION, "inspection", now, one.tell(now)))
        return told

    def finish(self, now: Stamp) -> list[Message]:
        """The hub ends, and with it all that are open."""
        return [message for name in list(self._open) for message in self._end(name, Ending.HUB_ENDED, now)]

    def _opening(self, desk: InspectionDesk, scan: Scan) -> bool:
        """One that was read well, is of a kind that opens, and is not what opened the inspection that is open."""
        if scan.quality is Quality.BAD or not (desk.scans or desk.symbologies):
            return False
        data = scan_data(scan, self._scans)
        if data.valid is False or not (data.kind in desk.scans or data.symbology in desk.symbologies):
            return False
        known = self._open.get(desk.name)
        return known is None or known.mark != entry(_text(scan), self._scans.key)

    def _place(self, desk: str) -> InspectionDesk:
        if desk in self._desks:
            return self._desks[desk]
        if not self._desks:
            raise RefusedInspectionError("no [[desk]] is configured")
        if desk or len(self._desks) > 1:
            there = ", ".join(self._desks)
            what = f"no desk '{desk}'" if desk else "say which desk"
            raise RefusedInspectionError(
                f"{what}; there are {there}" if len(self._desks) > 1 else f"{what}; there is {there}"
            )
        return next(iter(self._desks.values()))

    def _start(self, desk: InspectionDesk, at: Stamp, how: OpenedBy, **more: str) -> InspectionData:
        start = InspectionData(
            inspection=self._ids(),
            desk=desk.name,
            opened=instant(at.utc),
            until=instant(at.utc + desk.timeout_s),
            how=how,
            devices=desk.devices,
        )
        return replace(start, **more)

    def _begin(self, desk: InspectionDesk, start: InspectionData, at: Stamp, mark: bytes = b"") -> list[Message]:
        told = self._end(desk.name, Ending.SUPERSEDED, at) if desk.name in self._open else []
        one = self._open[desk.name] = Inspection(start, at, at.mono + desk.timeout_s, mark)
        for (device, point), data in self._published.alarms.items():
            if device in desk.devices:
                one.meet(device, point, data, earlier=True)
        for device, ability in self._published.abilities.items():
            if device in desk.devices:
                one.look(device, ability)
        event = self._message(Kind.EVENT, OPENED, at, start)
        return [*told, event, self._message(Kind.INSPECTION, "inspection", at, one.tell(at))]

    def _end(self, name: str, reason: Ending, at: Stamp, by: str = "", note: str = "") -> list[Message]:
        return self._told_end(self._open.pop(name).end(reason, at, by, note), at)

    def _told_end(self, data: InspectionData, at: Stamp) -> list[Message]:
        gone = replace(self._message(Kind.INSPECTION, ENDED, at, data), data=None)
        return [self._message(Kind.EVENT, ENDED, at, data), gone]

    def _carried(self, message: Message) -> Message:
        desk = self._desk_of.get(message.device)
        one = None if desk is None else self._open.get(desk.name)
        if one is None or message.record:  # what a device had stored is of no inspection that is open now
            return message
        late = message.kind in _TIMED and not one.began.mono <= message.mono < one.deadline
        if late or (message.kind not in _CARRIES and message.kind is not Kind.CAPABILITY):
            return message
        if not (message.kind is Kind.ALARM and isinstance(message.data, AlarmData)):
            one.take(message)  # each state of an alarm is an event as well
        return message if message.kind is Kind.CAPABILITY else replace(message, inspection=one.start.inspection)

    def _message(self, kind: Kind, word: str, at: Stamp, data: InspectionData) -> Message:
        return Message(
            kind=kind,
            type=word,
            id=self._ids(),
            time=at.utc,
            mono=at.mono,
            data=data,
            device=data.desk,
            causation=data.command if word == OPENED else "",
            inspection=data.inspection,
        )


def _text(scan: Scan) -> str:
    return scan.data.decode("utf-8", "backslashreplace")
