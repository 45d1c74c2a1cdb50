"""The `data` of the lane as a whole. Part of `model/payload.py`."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.alarm import Priority
from devicehub.model.payload_texts import Instant
from devicehub.model.reading import Cause, Level


class LaneState(StrEnum):
    """The one word on a workstation: the first of these that holds. None of them is "clear".

    ALARM: a detection stands. BLIND: something required cannot be detected, or nobody knows whether it can.
    DEGRADED: it can, not as well as it should. ATTENTION: another alarm stands, or alarm points were put aside.
    UNASSESSED: nothing is required, so nobody knows what could be detected. NO_ALARM: everything required can be
    detected in full, and nothing stands.
    """

    ALARM = "alarm"
    BLIND = "blind"
    DEGRADED = "degraded"
    ATTENTION = "attention"
    UNASSESSED = "unassessed"
    NO_ALARM = "no-alarm"


class RequiredData(Struct, frozen=True, omit_defaults=True):
    """A required capability, of the device that has most of it; of no device where none has it."""

    name: str
    level: Level
    cause: Cause = Cause.NONE
    device: str = ""


class LaneData(Struct, frozen=True, omit_defaults=True):
    """What the devices of a workstation together can detect, and what stands.

    It holds only while `status` is `online`: it is repeated every 20 s, and a broker forgets it after 60.
    """

    state: LaneState
    since: Annotated[Instant, Meta(description="When this state came, or the hub started")]
    required: Annotated[tuple[RequiredData, ...], Meta(description="In the order of the configuration")] = ()
    threats: Annotated[dict[Priority, int], Meta(description="Detections that stand, by severity")] = {}
    others: Annotated[dict[Priority, int], Meta(description="Other alarms that stand, by severity")] = {}
    aside: Annotated[int, Meta(description="Alarm points that are shelved, suppressed, disabled or out of service")] = 0
    why: Annotated[str, Meta(description="What stands against a better word, for people")] = ""
    before: Annotated[LaneState | None, Meta(description="Of an event: the state before, none at a start")] = None
