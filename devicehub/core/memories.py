"""What devices had stored before the hub asked: told once, with the time that it was, as history. Pure."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from devicehub.core.measure import Judged, checked, reading_data, spectrum_data
from devicehub.core.verdicts import device_result
from devicehub.model.message import REMEMBERED, Kind, Message
from devicehub.model.payload import ReadingData, ResultData, SpectrumData, StoredData
from devicehub.model.reading import Reading, Result, Spectrum, Stamp, Stored

Taken = tuple[str, str]


class Memories:
    """Which records of which devices were told. A record is of a unit: another one in its place has its own.

    Of each device the last `REMEMBERED` are known, as in the journal.
    """

    def __init__(self) -> None:
        self._taken: dict[str, dict[str, None]] = {}

    def resume(self, taken: Iterable[Taken]) -> None:
        """What earlier runs told, oldest first: device, and record as `Message.record`."""
        for device, record in taken:
            self._is_new(device, record)

    def tell(
        self,
        reading: Reading,
        stored: Stored,
        serial: str,
        judged: Mapping[tuple[str, str], Judged],
        ids: Callable[[], str],
    ) -> list[Message]:
        """The message of a record that was not told yet. `serial`: of the unit, "" where it is not known."""
        record = f"{serial}/{stored.record}" if stored.kept else ""
        if record and not self._is_new(reading.device, record):
            return []
        kind, word, point, data = _told(reading, stored, judged)
        return [
            Message(
                kind=kind,
                type=word,
                id=ids(),
                time=reading.at.utc - stored.age,
                mono=reading.at.mono,
                data=replace(data, historical=True, stored=_origin(reading.at, stored)),
                device=reading.device,
                point=point,
                record=record,
            )
        ]

    def _is_new(self, device: str, record: str) -> bool:
        known = self._taken.setdefault(device, {})
        if record in known:
            return False
        known[record] = None
        if len(known) > REMEMBERED:
            del known[next(iter(known))]
        return True


def _told(
    reading: Reading, stored: Stored, judged: Mapping[tuple[str, str], Judged]
) -> tuple[Kind, str, str, ResultData | SpectrumData | ReadingData]:
    sample = stored.sample
    if isinstance(sample, Result):
        return Kind.RESULT, "result", "", device_result(sample)
    one = judged[reading.device, sample.channel]
    if isinstance(sample, Spectrum):
        return Kind.READING, "spectrum", sample.channel, spectrum_data(sample, one.channel)
    return Kind.READING, "reading", sample.channel, reading_data(checked(sample, one.channel), one)


def _origin(at: Stamp, stored: Stored) -> StoredData:
    """The offset of the clocks is measured now and held to be what it was then."""
    clock = stored.clock
    return StoredData(
        record=stored.record,
        age_s=round(stored.age, 3),
        device_time=None if clock is None else round(clock - stored.age, 3),
        clock_offset_s=None if clock is None else round(at.utc - clock, 3),
    )
