"""Why something is missing."""

from enum import StrEnum


class GapReason(StrEnum):
    """A closed set, by who lost it.

    The hub: RESTART is from the last event that was stored to the next start after a clean stop, UNCLEAN_SHUTDOWN the
    same after any other end, SUSPENDED while the machine slept.

    A device: DISCONNECTED from the last word to the next one, FAULTED the same when its driver failed, SILENT while its
    link was open, FAULTS where what it sent was not what its protocol allows, OVERFLOW where the hub had no room.

    A stream of journalled messages: REFUSED by the broker for good, BUSY the same for now: it is sent again by
    itself; DAMAGED on the disk, EXPIRED after the retention.
    """

    RESTART = "restart"
    UNCLEAN_SHUTDOWN = "unclean-shutdown"
    SUSPENDED = "suspended"
    DISCONNECTED = "disconnected"
    FAULTED = "faulted"
    SILENT = "silent"
    FAULTS = "faults"
    OVERFLOW = "overflow"
    REFUSED = "refused"
    BUSY = "busy"
    DAMAGED = "damaged"
    EXPIRED = "expired"
