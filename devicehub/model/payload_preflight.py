"""The `data` of what is checked at a desk before a shift. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.payload_texts import Instant, Segment
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, PreflightOutcome
from devicehub.model.reading import Cause
from devicehub.model.units import Unit


class PreflightCheckData(Struct, frozen=True, omit_defaults=True):
    """One check of one device. What its driver cannot tell is `unknown` or, where the site does without, `waived`."""

    device: Segment
    check: CheckKind
    verdict: CheckVerdict
    subject: Annotated[str, Meta(description="Capability, channel or known sample")] = ""
    reason: Annotated[CheckReason, Meta(description="Why it was not passed")] = CheckReason.NONE
    cause: Annotated[Cause, Meta(description="As the device words it")] = Cause.NONE
    detail: Annotated[str, Meta(description="What the device said, in words")] = ""
    value: float | None = None
    least: float | None = None
    most: float | None = None
    unit: Unit | None = None
    due: Annotated[str, Meta(description="Last day of the calibration, ISO 8601")] = ""


class PreflightData(Struct, frozen=True, omit_defaults=True):
    """The checks of a desk's devices before a shift: as they stand when they begin, and all of them at the end.

    It says what the devices said at that time, and no more: see `capability` and `lane` for what holds now.
    """

    preflight: Annotated[str, Meta(description="Its id, a ULID")]
    desk: Annotated[str, Meta(description="Empty: the devices that belong to no desk")]
    began: Instant
    until: Annotated[Instant, Meta(description="When it ends at the latest")]
    by: Annotated[str, Meta(description="Who asked for it")] = ""
    command: str = ""
    devices: tuple[Segment, ...] = ()
    awaited: Annotated[tuple[Segment, ...], Meta(description="Devices whose known sample has not been found yet")] = ()
    checks: tuple[PreflightCheckData, ...] = ()
    ended: Instant | None = None
    outcome: Annotated[PreflightOutcome | None, Meta(description="None while it lasts")] = None
