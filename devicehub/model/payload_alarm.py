"""The `data` of alarms: state of a point, acts of people, floods and statistics. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct, field

from devicehub.model.alarm import (
    AlarmCategory,
    AlarmQuality,
    AlarmState,
    Condition,
    Disposition,
    Letter,
    Priority,
    Shelf,
    Verb,
)
from devicehub.model.payload_texts import Digest, Instant, TextData
from devicehub.model.units import Unit


class ActData(Struct, frozen=True, omit_defaults=True):
    """An operator's act that still holds: who, when, and what was noted."""

    at: Instant
    by: str
    note: str = ""


class DispositionData(Struct, frozen=True, omit_defaults=True):
    """What a detection turned out to be."""

    code: Disposition
    at: Instant
    by: str
    note: str = ""


class TimedData(Struct, frozen=True, omit_defaults=True):
    """Something that ends by itself, `left_s` seconds after the time of the message; `until` by the wall clock."""

    until: Instant
    left_s: float


class ShelvingData(TimedData, frozen=True):
    """An alarm point is shelved."""

    kind: Shelf
    by: str
    why: str


class AuditData(Struct, frozen=True, omit_defaults=True):
    """An operator's act: who did what to which state, why, by which command, after which event of the point."""

    verb: Verb
    by: str
    old: AlarmState = field(name="from")
    new: AlarmState = field(name="to")
    command: str
    mono_s: Annotated[float, Meta(description="Monotonic clock of the workstation")]
    why: str = ""
    previous: Annotated[str, Meta(description="Id of the last event of this alarm point before")] = ""


class AlarmData(Struct, frozen=True, omit_defaults=True):
    """The current state of one alarm point. `state` and `letter` follow from the flags.

    `raised`: when the alarm came, or when the point was put aside where no alarm stands. `event`: id of the event
    that told this revision.
    """

    alarm: str
    revision: int
    state: AlarmState
    priority: Priority
    category: AlarmCategory
    condition: Condition
    message: TextData
    raised: Instant
    rules_digest: str
    value: Annotated[
        float | None, Meta(description="What was held against the limit; per second for rise and fall")
    ] = None
    limit: Annotated[float | None, Meta(description="None for a state; in seconds for stale")] = None
    unit: Annotated[Unit | None, Meta(description="Of value and limit; none for rise and fall")] = None
    latched: bool = False
    cleared: Instant | None = None
    why: Annotated[str, Meta(description="Why it was cleared, where its condition did not end")] = ""
    duration_s: float | None = None
    quality: AlarmQuality = AlarmQuality.GOOD
    letter: Annotated[Letter, Meta(description="State of ISA-18.2 and IEC 62682")] = Letter.A
    enabled: bool = True
    active: bool = True
    acknowledged: bool = False
    confirmed: Annotated[bool, Meta(description="False: acknowledged, and waits for its confirmation")] = True
    suppressed: bool = False
    out_of_service: bool = False
    shelved: ShelvingData | None = None
    silenced: TimedData | None = None
    realarm: Annotated[TimedData | None, Meta(description="When it is announced again, if it still lasts")] = None
    returned: Annotated[Instant | None, Meta(description="When the condition ended last")] = None
    activations: Annotated[int, Meta(description="How often the condition came while this alarm stood")] = 1
    first_out: Annotated[bool, Meta(description="Nothing else stood when this alarm came")] = False
    chattering: Annotated[bool, Meta(description="It came three times within a minute")] = False
    acked: ActData | None = None
    disposition: DispositionData | None = None
    comment: ActData | None = None
    audit: Annotated[AuditData | None, Meta(description="The act that led to this revision, if one did")] = None
    event: str = ""


class FloodData(Struct, frozen=True, omit_defaults=True):
    """More alarms than an operator can handle, more than ten in ten minutes: its begin or its end."""

    what: Annotated[str, Meta(pattern="^(begin|end)$")]
    count: Annotated[int, Meta(description="Alarms of the flood so far")]
    first: Annotated[str, Meta(description="device/point that came first")]
    since: Instant
    duration_s: float
    devices: Annotated[dict[str, int], Meta(description="Alarms of each device, the ten most frequent")]


class RateData(Struct, frozen=True):
    """How often a rule was wrong: `false` of `judged` detections were no threat."""

    judged: int
    false: int
    rate: float


class AlarmStatisticsData(Struct, frozen=True):
    """How well the alarms do, over this run of the hub (IEC 62682, clause 16). Targets: 1 alarm in ten minutes."""

    standing: int
    unacknowledged: int
    stale: Annotated[int, Meta(description="Standing for more than 24 hours")]
    alarms: Annotated[int, Meta(description="Alarms announced since the hub started")]
    alarms_10min: int
    peak_10min: int
    floods: int
    flood: bool
    chattering: Annotated[int, Meta(description="Points that came three times within a minute, in the last hour")]
    priorities: Annotated[dict[str, int], Meta(description="Alarms by priority; the target is 5/15/80 %")]
    ack_p50_s: float | None
    ack_p95_s: float | None
    false_alarms: Annotated[dict[str, RateData], Meta(description="By device/point")]


class RulesData(Struct, frozen=True, omit_defaults=True):
    """The rules that alarms of limits and of thermal rules come by, as a change of them or as they are.

    `version`, `author` and `reason` are those of the rule file, and missing where the rules have none.
    """

    digest: Annotated[Digest, Meta(description="Of the rules alone; the `rules_digest` of their alarms")]
    points: Annotated[int, Meta(description="Alarm points that they watch")]
    version: int | None = None
    author: str = ""
    reason: str = ""
    previous: Annotated[Digest | None, Meta(description="Digest of the rules before a change, where known")] = None
    previous_version: int | None = None


class ShadowData(Struct, frozen=True, omit_defaults=True):
    """What rules that are only tried find: never an alarm. Nothing stands, sounds or waits for anybody.

    `met`: whether the condition came, else it went. What an alarm would have said is beside it.
    """

    met: bool
    rules_digest: Annotated[Digest, Meta(description="Of the rules that are tried")]
    condition: Condition
    priority: Annotated[Priority, Meta(description="That an alarm would have had")]
    category: Annotated[AlarmCategory, Meta(description="That an alarm would have had")]
    version: int | None = None
    value: float | None = None
    limit: float | None = None
    unit: Unit | None = None
    why: Annotated[str, Meta(description="Why it ended, where its condition did not")] = ""
