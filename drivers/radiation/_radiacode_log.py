"""What of DATA_BUF is now and what was before anybody listened. Pure.

A RadiaCode keeps its records until they are read, and then has them no more. It numbers them from 0 to 255 and counts
its time in 10 ms from a start that only who sets it knows: the newest record of all is the present, and the others are
as old as they stand behind it. So the records of a full buffer wait until one comes that holds the present alone.
"""

from collections.abc import Iterator, Sequence

from devicehub.model.alarm import AlarmCategory
from devicehub.model.reading import DeviceAlarm, Measurement, Outcome, Result, Sample, Stored
from drivers.radiation._radiacode_records import Record

PRESENT = 5.0
PATIENCE = 60.0
MOST = 20_000
TICK = 0.01


class Records:
    """Records to samples of now, and of then."""

    def __init__(self) -> None:
        self._waiting: list[Record] = []
        self._since = 0.0

    @property
    def settled(self) -> bool:
        """Whether no record waits for the present that dates it."""
        return not self._waiting

    def take(self, now: float, records: Sequence[Record]) -> Iterator[Sample]:
        """The samples of one answer, and of those that waited for it."""
        if not self._waiting:
            self._since = now
        self._waiting += records
        span = _span(records)
        if span > PRESENT and now - self._since < PATIENCE and len(self._waiting) < MOST:
            return
        waiting, self._waiting = self._waiting, []
        newest = max((record.ticks for record in waiting), default=0)
        for record in waiting:
            yield from _told(record, (newest - record.ticks) * TICK)


def _span(records: Sequence[Record]) -> float:
    ticks = [record.ticks for record in records]
    return (max(ticks) - min(ticks)) * TICK if ticks else 0.0


def _told(record: Record, age: float) -> Iterator[Sample]:
    if not record.logged and age <= PRESENT:
        yield from record.samples
        return
    for sample in record.samples:
        if isinstance(sample, Measurement):
            yield Stored(f"{record.ticks}.{record.number}.{sample.channel}", age, sample, kept=False)
        elif _of_old(sample):
            result = Result(Outcome.ALARM, note=f"alarm {sample.point} of the device")
            yield Stored(f"{record.ticks}.{record.number}.{sample.point}", age, result, kept=False)


def _of_old(alarm: DeviceAlarm) -> bool:
    """An alarm of the past is told once, as a result; what was wrong with the device then is over."""
    return alarm.active and alarm.category is AlarmCategory.THREAT
