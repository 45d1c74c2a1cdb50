"""The streams of journalled messages: each is numbered and delivered on its own."""

from enum import StrEnum


class Stream(StrEnum):
    """ALARMS never wait behind the bulk of EVENTS; SCANS are personal data, which few may read and count."""

    ALARMS = "alarms"
    EVENTS = "events"
    SCANS = "scans"
