"""One inspection: what came of the devices of its desk, gathered to the summary that is told at its end. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar

from msgspec.structs import replace

from devicehub.alarm.lifecycle import Care
from devicehub.core.standing import life_of
from devicehub.core.verdicts import grade, in_full
from devicehub.model.alarm import AlarmCategory
from devicehub.model.inspection import Ending, InspectionOutcome
from devicehub.model.instant import instant
from devicehub.model.message import Message
from devicehub.model.payload import (
    AlarmData,
    BlindData,
    CapabilityData,
    CaptureData,
    CheckedData,
    FrameData,
    GapData,
    ImageData,
    InspectionData,
    MetAlarmData,
    MissingData,
    ReadingData,
    ResultData,
    ScanData,
    SpectrumData,
    VerdictData,
)
from devicehub.model.reading import Outcome, Quality, Stamp

MOST: Final = 64
COUNTS_EVERY: Final = 10.0

T = TypeVar("T")


@dataclass(slots=True)
class Inspection:
    """`start`: what was told when it was opened. `mark`: what was scanned then, so that it does not open another.

    `told`: monotonic second when it was told last how far it has come; `news`: of more than counts since.
    """

    start: InspectionData
    began: Stamp
    deadline: float
    mark: bytes = b""
    news: bool = False
    told: float = -inf
    _checked: dict[str, CheckedData] = field(default_factory=dict[str, CheckedData])
    _results: list[VerdictData] = field(default_factory=list[VerdictData])
    _alarms: dict[str, MetAlarmData] = field(default_factory=dict[str, MetAlarmData])
    _images: list[ImageData] = field(default_factory=list[ImageData])
    _blind: dict[tuple[str, str], BlindData] = field(default_factory=dict[tuple[str, str], BlindData])
    _missing: list[MissingData] = field(default_factory=list[MissingData])
    _left_out: int = 0
    _counted: bool = False

    def take(self, message: Message) -> None:
        """What a device of the desk said, or is said of it."""
        device, data = message.device, message.data
        match data:
            case ReadingData() | SpectrumData() | FrameData() | ScanData() | tuple():
                self._count(device, data)
                return
            case ResultData():
                verdict = VerdictData(
                    instant(message.time), device, data.outcome, data.cause, data.source, data.sample_id
                )
                self._judged(verdict)
            case CaptureData():
                self._keep(self._images, ImageData(device, data.digest, data.dataref))
            case GapData():
                self._keep(self._missing, MissingData(device, data.reason, data.since, data.until, data.count))
            case AlarmData():
                self.meet(device, message.point, data)
            case CapabilityData():
                self.look(device, data)
            case _:
                return
        self.news = True

    def meet(self, device: str, point: str, data: AlarmData, *, earlier: bool = False) -> None:
        """An alarm stands, or ends. A point that was put aside and has no alarm is none.

        Where there is no room, another alarm gives way to a detection, lest the outcome hide it.
        """
        known = self._alarms.get(data.alarm)
        if known is None and not life_of(data, Care.of(data.category)).stands:
            return
        if known is None and len(self._alarms) >= MOST:
            self._left_out += 1
            spare = (name for name, one in self._alarms.items() if one.category is not AlarmCategory.THREAT)
            gives_way = next(spare, None) if data.category is AlarmCategory.THREAT else None
            if gives_way is None:
                return
            del self._alarms[gives_way]
        self._alarms[data.alarm] = MetAlarmData(
            device,
            point,
            data.alarm,
            data.priority,
            data.category,
            data.condition,
            data.state,
            earlier if known is None else known.earlier,
            data.disposition,
        )

    def look(self, device: str, data: CapabilityData) -> None:
        """What a device can detect at this moment."""
        for item in data.capabilities:
            if in_full(item.level, item.cause):
                continue
            found = BlindData(device, item.name, item.level, item.cause)
            known = self._blind.get((device, item.name))
            if known is None or grade(known.level) < grade(item.level):
                self._blind[device, item.name] = found

    def is_due(self, now: Stamp) -> bool:
        """Whether to tell how far it has come: at once, or every ten seconds where only counts grew."""
        return self.news or (self._counted and now.mono - self.told >= COUNTS_EVERY)

    def tell(self, now: Stamp) -> InspectionData:
        """How far it has come, now that this is told."""
        self.news, self._counted, self.told = False, False, now.mono
        return self.far()

    def far(self) -> InspectionData:
        """How far it has come."""
        return replace(
            self.start,
            checked=tuple(self._checked[name] for name in sorted(self._checked)),
            results=tuple(self._results),
            alarms=tuple(self._alarms.values()),
            images=tuple(self._images),
            blind=tuple(self._blind[place] for place in sorted(self._blind)),
            missing=tuple(self._missing),
            left_out=self._left_out,
        )

    def end(self, reason: Ending, at: Stamp, by: str = "", note: str = "") -> InspectionData:
        """All of it, and how it came out."""
        data = replace(
            self.far(),
            ended=instant(at.utc),
            reason=reason,
            closed_by=by,
            note=note,
            duration_s=round(at.mono - self.began.mono, 3),
        )
        return replace(data, outcome=outcome_of(data))

    def _judged(self, verdict: VerdictData) -> None:
        """Where there is no room, another verdict gives way to an alarm, lest the outcome hide it."""
        if verdict.outcome is Outcome.ALARM and len(self._results) >= MOST:
            spare = (place for place, one in enumerate(self._results) if one.outcome is not Outcome.ALARM)
            if (place := next(spare, None)) is not None:
                del self._results[place]
                self._left_out += 1
        self._keep(self._results, verdict)

    def _keep(self, kept: list[T], one: T) -> None:
        if len(kept) < MOST:
            kept.append(one)
        else:
            self._left_out += 1

    def _count(
        self, device: str, data: ReadingData | tuple[ReadingData, ...] | SpectrumData | FrameData | ScanData
    ) -> None:
        known = self._checked.get(device) or CheckedData(device)
        match data:
            case ReadingData():
                known = replace(known, values=known.values + 1, unusable=known.unusable + _bad([data]))
            case SpectrumData():
                known = replace(known, spectra=known.spectra + 1, unusable=known.unusable + _is_bad(data.quality))
            case FrameData():
                known = replace(known, frames=known.frames + 1, unusable=known.unusable + _is_bad(data.quality))
            case ScanData():
                known = replace(known, scans=known.scans + 1)
            case _:
                known = replace(known, values=known.values + len(data), unusable=known.unusable + _bad(data))
        self._checked[device] = known
        self._counted = True


def interrupted(last: InspectionData, standing: Iterable[tuple[str, str, AlarmData]]) -> InspectionData:
    """The end of one that was open when the hub died, by what was told of it last and the alarms that stand."""
    found = Inspection(last, Stamp(0.0, 0.0), 0.0)
    known = {one.alarm for one in last.alarms}
    for device, point, alarm in standing:
        if device in last.devices and alarm.alarm not in known:
            found.meet(device, point, alarm, earlier=alarm.raised < last.opened)
    alarms = (*last.alarms, *found.far().alarms)
    data = replace(last, alarms=alarms, reason=Ending.INTERRUPTED)
    return replace(data, outcome=outcome_of(data))


def outcome_of(data: InspectionData) -> InspectionOutcome:
    """How an inspection came out. The good word needs something checked, and nothing that speaks against it."""
    if any(one.category is AlarmCategory.THREAT for one in data.alarms) or any(
        one.outcome is Outcome.ALARM for one in data.results
    ):
        return InspectionOutcome.ALARM
    usable = sum(one.values + one.spectra + one.frames - one.unusable for one in data.checked)
    if not usable and not data.results:
        return InspectionOutcome.UNCHECKED
    doubtful = any(one.outcome is not Outcome.CLEAR for one in data.results)
    cut = data.reason in {Ending.INTERRUPTED, Ending.HUB_ENDED}
    if doubtful or cut or data.blind or data.missing or data.left_out:
        return InspectionOutcome.DOUBTFUL
    return InspectionOutcome.NO_ALARM


def _is_bad(quality: Quality) -> bool:
    return quality is Quality.BAD


def _bad(readings: Sequence[ReadingData]) -> int:
    return sum(one.quality is Quality.BAD or (one.value is None) for one in readings)
