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
    """Which rule is met. DEVICE: the device itself says so. LISTED: what it scanned is on the watch list.

    DETECTION: the hub found a substance in what the device sent.
    """

    HIGH_HIGH = "high-high"
    HIGH = "high"
    LOW = "low"
    LOW_LOW = "low-low"
    RISE = "rise"
    FALL = "fall"
    DEVIATION = "deviation"
    STATE = "state"
    STALE = "stale"
    DEVICE = "device"
    LISTED = "listed"
    DETECTION = "detection"


class Distrust(StrEnum):
    """What a value that cannot be trusted (quality BAD, or no finite number) may do. It never ends a condition.

    JUDGE: raise as its number says, which one that is no number cannot. RAISE: raise whatever it is. IGNORE: nothing.
    """

    JUDGE = "judge"
    RAISE = "raise"
    IGNORE = "ignore"


class Limit(Struct, frozen=True):
    """One rule on one channel of one device: the alarm point `name`. Two levels are two points.

    ==============================  ==========================================  =================================
    condition                       met when                                    over when
    ==============================  ==========================================  =================================
    HIGH, HIGH_HIGH                 value > `limit`                             value <= `limit` - `hysteresis`
    LOW, LOW_LOW                    value < `limit`                             value >= `limit` + `hysteresis`
    RISE, FALL                      it grows or shrinks by more than `limit`    the rate is back by `hysteresis`
                                    a second, over `window_s`
    DEVIATION                       it is further than `limit` from             it is nearer by `hysteresis`
                                    `reference`
    STATE                           its label is one of `states`                it is another
    STALE                           no good value for more than `window_s`      a good value
    ==============================  ==========================================  =================================

    `reference`: a channel of the same device, or `device/channel`; its last good value counts for `window_s`.
    The condition comes when `count` of the last `of` values meet it, and ends when as many say that it is over.
    The alarm comes when the condition has lasted for `on_delay_s` seconds without a break and goes when it has been
    over for `off_delay_s`; while it lasts it is announced again every `realarm_s`, 0: never. With `latch` it stays
    until somebody resets it.
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
    count: int = 1
    of: int = 1
    window_s: float = 0.0
    reference: str = ""
    states: tuple[str, ...] = ()
    distrust: Distrust = Distrust.JUDGE


class Transition(Struct, frozen=True, gc=False):
    """An edge of one alarm point. `limit` indexes the engine's limits, `reading` the batch; -1: time alone.

    `value`: what was held against the limit, not a number where nothing came. `late`: seconds that the edge
    was before its reading, or before the instant that was asked for.
    """

    limit: int
    active: bool
    value: float
    reading: int
    late: float = 0.0
