"""The vocabulary of inspections: where they happen, what opens and ends them, how they came out."""

from enum import StrEnum

from msgspec import Struct


class OpenedBy(StrEnum):
    """What opened an inspection: a scan or a button of a device of the desk, or a command."""

    SCAN = "scan"
    BUTTON = "button"
    COMMAND = "command"


class Ending(StrEnum):
    """Why an inspection ended. SUPERSEDED: the next one was opened at the desk. INTERRUPTED: the hub died meanwhile.

    REMOVED: its desk is no longer configured. HUB_ENDED: the hub was stopped.
    """

    CLOSED = "closed"
    TIMED_OUT = "timed-out"
    SUPERSEDED = "superseded"
    HUB_ENDED = "hub-ended"
    INTERRUPTED = "interrupted"
    REMOVED = "removed"


class InspectionOutcome(StrEnum):
    """How an inspection came out: the first of these that holds. None of them is "clear".

    ALARM: something was detected, or a detection stood. UNCHECKED: no detector gave anything usable. DOUBTFUL: a
    verdict was not clear, something could not be detected in full or is missing, or the hub ended. NO_ALARM: none of
    these.
    """

    ALARM = "alarm"
    UNCHECKED = "unchecked"
    DOUBTFUL = "doubtful"
    NO_ALARM = "no-alarm"


class InspectionDesk(Struct, frozen=True):
    """Devices that are used for one inspection at a time, and what of theirs opens one.

    `scans`: kinds of what is scanned, as `document`; `symbologies` as the scanner names them; `buttons`: names of
    triggers. An inspection ends `timeout_s` seconds after it was opened, if nothing has ended it before.
    """

    name: str
    devices: tuple[str, ...]
    timeout_s: float
    scans: tuple[str, ...] = ()
    symbologies: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
