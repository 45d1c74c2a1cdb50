"""The `data` of inspections. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Priority
from devicehub.model.gap import GapReason
from devicehub.model.inspection import Ending, InspectionOutcome, OpenedBy
from devicehub.model.payload_alarm import DispositionData
from devicehub.model.payload_result import Source
from devicehub.model.payload_texts import Digest, Instant, Segment
from devicehub.model.reading import Cause, Level, Outcome


class DeskData(Struct, frozen=True, omit_defaults=True):
    """A desk where inspections happen, and the devices that are used there."""

    desk: Segment
    devices: tuple[Segment, ...]


class CheckedData(Struct, frozen=True, omit_defaults=True):
    """What a device gave during an inspection. `unusable`: values, spectra and frames that are bad, of all of these."""

    device: Segment
    values: int = 0
    spectra: int = 0
    frames: int = 0
    scans: int = 0
    unusable: int = 0


class VerdictData(Struct, frozen=True, omit_defaults=True):
    """One result. Of a run that the hub judges itself there are two, by `source`."""

    at: Instant
    device: Segment
    outcome: Outcome
    cause: Cause = Cause.NONE
    source: Source = Source.DEVICE
    sample_id: str = ""


class MetAlarmData(Struct, frozen=True, omit_defaults=True):
    """An alarm of a device of the desk, as it was when the inspection ended. `earlier`: it stood before it began."""

    device: Segment
    point: Segment
    alarm: str
    priority: Priority
    category: AlarmCategory
    condition: Condition
    state: AlarmState
    earlier: bool = False
    disposition: DispositionData | None = None


class ImageData(Struct, frozen=True, omit_defaults=True):
    """An image that was kept as evidence."""

    device: Segment
    digest: Digest
    dataref: str


class BlindData(Struct, frozen=True, omit_defaults=True):
    """What a device could not detect in full; the worst that it came to during the inspection."""

    device: Segment
    capability: str
    level: Level
    cause: Cause = Cause.NONE


class MissingData(Struct, frozen=True, omit_defaults=True):
    """Something of a device is missing, as the gap says that came during the inspection."""

    device: Segment
    reason: GapReason
    since: Instant | None = None
    until: Instant | None = None
    count: int | None = None


class InspectionData(Struct, frozen=True, omit_defaults=True):
    """An inspection at a desk: while it lasts, as far as it has come; in its end event, all of it.

    What the devices of the desk say meanwhile carries its id as the envelope's `inspection`.
    """

    inspection: Annotated[str, Meta(description="Its id, a ULID that is made of time and chance alone")]
    desk: Segment
    opened: Instant
    until: Annotated[Instant, Meta(description="When it ends at the latest")]
    how: Annotated[OpenedBy, Meta(description="What opened it")]
    devices: Annotated[tuple[Segment, ...], Meta(description="Of the desk")] = ()
    device: Annotated[str, Meta(description="That opened it, of a scan and a button")] = ""
    by: Annotated[str, Meta(description="Who opened it, of a command")] = ""
    command: str = ""
    subject: Annotated[str, Meta(description="Keyed hash of the scan that opened it, as in `scan`; never its text")] = (
        ""
    )
    reference: Annotated[str, Meta(description="The operator's own reference")] = ""
    ended: Annotated[Instant | None, Meta(description="None: it lasts, or nobody knows when the hub died")] = None
    reason: Annotated[Ending | None, Meta(description="Why it ended; none while it lasts")] = None
    closed_by: str = ""
    note: Annotated[str, Meta(description="Of whoever closed it")] = ""
    duration_s: float | None = None
    outcome: Annotated[InspectionOutcome | None, Meta(description="None while it lasts")] = None
    checked: tuple[CheckedData, ...] = ()
    results: tuple[VerdictData, ...] = ()
    alarms: tuple[MetAlarmData, ...] = ()
    images: tuple[ImageData, ...] = ()
    blind: tuple[BlindData, ...] = ()
    missing: tuple[MissingData, ...] = ()
    left_out: Annotated[
        int, Meta(description="Results, alarms, images and gaps beyond 64 of each; they are on record")
    ] = 0
