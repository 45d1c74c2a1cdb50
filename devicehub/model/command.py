"""The states of a command, from its arrival to its answer."""

from enum import StrEnum


class CommandState(StrEnum):
    """ACCEPTED is followed by one of the others, unless the hub dies; REJECTED was never begun."""

    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    TIMEOUT = "timeout"
