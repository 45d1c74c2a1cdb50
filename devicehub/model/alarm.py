"""The vocabulary of alarms: states, acts, dispositions, priorities, conditions, and limits as data.

Sources: ISA-18.2-2016 and IEC 62682 (states), OPC 10000-9 (orthogonal states and acts).
"""

from enum import StrEnum

from msgspec import Struct


class AlarmState(StrEnum):
    """ISA-18.2 state of an alarm point."""

    NORMAL = "normal"
    UNACK_ACTIVE = "unack-active"
    ACK_ACTIVE = "ack-active"
    RTN_UNACK = "rtn-unack"
    LATCHED = "latched"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out-of-service"


class Letter(StrEnum):
    """The letter of a state in the transition diagram of ISA-18.2 and IEC 62682."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"


class Shelf(StrEnum):
    """How an alarm point is shelved. ONE_SHOT ends with the alarm it waits for, TIMED by time; both end."""

    NONE = "none"
    TIMED = "timed"
    ONE_SHOT = "one-shot"


class AlarmQuality(StrEnum):
    """How far the value behind an alarm can be trusted. UNDEFINED: its device is away, nothing is known."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    UNDEFINED = "undefined"


class Verb(StrEnum):
    """What a person can do to an alarm point."""

    ACK = "ack"
    CONFIRM = "confirm"
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SILENCE = "silence"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    OUT_OF_SERVICE = "out-of-service"
    IN_SERVICE = "in-service"
    DISABLE = "disable"
    ENABLE = "enable"
    COMMENT = "comment"


class Disposition(StrEnum):
    """What a detection turned out to be: needed to close it, and what false-alarm rates are made of."""

    CONFIRMED_THREAT = "confirmed-threat"
    SECOND_TEST_NEGATIVE = "innocent.second-test-negative"
    KNOWN_CAUSE = "innocent.known-cause"
    NUISANCE = "nuisance"
    UNRESOLVED = "unresolved"
    TEST = "test"


class Priority(StrEnum):
    """How urgent the response is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class AlarmCategory(StrEnum):
    """What an alarm is about. Faults of devices and of the hub never share a threat's category."""

    THREAT = "threat"
    DEVICE = "device"
    HUB = "hub"
    TRAINING = "training"


class Condition(StrEnum):
    """Which rule is met. DEVICE: the device itself says so. LISTED: what it scanned is on the watch list."""

    HIGH = "high"
    LOW = "low"
    DEVICE = "device"
    LISTED = "listed"


class Limit(Struct, frozen=True):
    """One limit on one channel of one device: the alarm point `name`.

    Active when the value is beyond `limit`; inactive when it is back by more than `hysteresis`. The
    alarm comes when it has been active for `on_delay_s` seconds without a break and goes when it has been
    inactive for `off_delay_s`; while active it is announced again every `realarm_s`, 0: never. With
    `latch` it stays until somebody resets it.
    """

    name: str
    device: str
    channel: str
    condition: Condition
    limit: float
    hysteresis: float = 0.0
    priority: Priority = Priority.HIGH
    category: AlarmCategory = AlarmCategory.THREAT
    message: str = "alarm.limit"
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    realarm_s: float = 0.0
    latch: bool = False


class Transition(Struct, frozen=True):
    """An edge of one alarm point. `limit` indexes the engine's limits."""

    limit: int
    active: bool
    value: float
    reading: int
