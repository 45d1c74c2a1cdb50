"""What a desk's devices need before a shift, and what a look at them can come to."""

from enum import StrEnum
from math import inf

from msgspec import Struct

from devicehub.model.reading import Outcome


class CheckKind(StrEnum):
    """What of a device is looked at.

    SAMPLE: a known sample is shown to it, and it has to find that.
    """

    STATE = "state"
    DETECTION = "detection"
    SELF_TEST = "self-test"
    CONSUMABLE = "consumable"
    CALIBRATION = "calibration"
    SAMPLE = "sample"


class CheckVerdict(StrEnum):
    """What came of a check. UNKNOWN is never PASSED; WAIVED: unknown, and the site has said that it does without."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class CheckReason(StrEnum):
    """Why a check was not passed."""

    NONE = ""
    NOT_READY = "not-ready"
    NOT_IN_FULL = "not-in-full"
    SELF_TEST_FAILED = "self-test-failed"
    NOT_TOLD = "not-told"
    NO_VALUE = "no-value"
    TOO_LITTLE = "too-little"
    OVERDUE = "overdue"
    CLOCK_UNSURE = "clock-unsure"
    NOT_CONFIGURED = "not-configured"
    NOT_SHOWN = "not-shown"
    NOT_FOUND = "not-found"
    ENDED = "ended"


class PreflightOutcome(StrEnum):
    """How the checks of a desk came out: FAILED if one failed, else INCOMPLETE if one is unknown.

    INTERRUPTED: the hub ended, or the desk is no longer there, before all was done.
    """

    PASSED = "passed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"


class KnownSample(Struct, frozen=True):
    """What is shown to a device, and what it has to say then: one of `outcome`, `channel` and `text`.

    `outcome`: of a screening, in which `finding` is named if it is not empty. `channel`: a number from `low` to `high`,
    of an image as `image.max`. `text`: what is read. `within`: seconds that it may take.
    """

    name: str
    within: float
    outcome: Outcome | None = None
    finding: str = ""
    channel: str = ""
    low: float = -inf
    high: float = inf
    text: str = ""


class Needs(Struct, frozen=True):
    """What one device needs. `due`: last day of its calibration, ISO 8601, empty where it needs none.

    `consumables`: the least that must be left, by channel. `waived`: checks of which the site does without an answer.
    """

    due: str = ""
    consumables: tuple[tuple[str, float], ...] = ()
    sample: KnownSample | None = None
    waived: tuple[CheckKind, ...] = ()
