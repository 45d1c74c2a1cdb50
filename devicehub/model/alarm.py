"""The vocabulary of alarms: ISA-18.2 / IEC 62682 states, priorities, conditions, and limits as data."""

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
    """Which rule is met. DEVICE: the device itself says so."""

    HIGH = "high"
    LOW = "low"
    DEVICE = "device"


class Limit(Struct, frozen=True):
    """One limit on one channel of one device: the alarm point `name`.

    Active when the value is beyond `limit`; inactive when it is back by more than `hysteresis`.
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


class Transition(Struct, frozen=True):
    """An edge of one alarm point. `limit` indexes the engine's limits."""

    limit: int
    active: bool
    value: float
    reading: int
