"""The error tree. Each class carries its policy, so that callers never guess.

* `ConfigError`   never retried: somebody has to change something.
* `LinkError`     retried with backoff and jitter.
* `ProtocolError` counted by reason and carried on.
* `DeliveryError` retried with backoff.
* `JournalError`  the hub stops accepting until the journal is back.

A foreign exception is translated into one of these at its edge, once. Anything else is a bug.
"""

from enum import StrEnum


class DeviceHubError(Exception):
    """Root of everything devicehub raises on purpose."""


class ConfigError(DeviceHubError):
    """What the operator wrote cannot work; retrying cannot help."""


class LinkError(DeviceHubError):
    """The link to a device cannot be opened or has broken; try again later."""


class LinkMissingError(LinkError):
    """The port, USB device, BLE peripheral or camera is not there."""


class LinkPermissionError(LinkError):
    """It is there, and this process may not open it."""


class LinkBusyError(LinkError):
    """It is there, and somebody else holds it."""


class LinkLostError(LinkError):
    """An open link ended: unplugged, closed by the peer or gone silent past its deadline."""


class Reason(StrEnum):
    """Why bytes were refused. A closed set: each one is counted."""

    CHECKSUM = "checksum"
    GARBAGE = "garbage"
    LENGTH = "length"
    TRUNCATED = "truncated"
    UNEXPECTED = "unexpected"
    UNSUPPORTED = "unsupported"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    OVERFLOW = "overflow"
    RANGE = "range"
    SEQUENCE = "sequence"
    CORRUPT = "corrupt"


class ProtocolError(DeviceHubError):
    """Bytes that are not what the protocol allows. Counted by `reason` and carried on."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class DeliveryError(DeviceHubError):
    """The broker did not take a message."""


class DeliveryRefusedError(DeliveryError):
    """The broker answered and said no: not authorised, too large."""


class DeliveryBusyError(DeliveryError):
    """The broker lives and does not take this message now: a quota is used up, an identifier is in use."""


class JournalError(DeviceHubError):
    """The journal could not make events durable."""


class JournalMissingError(JournalError):
    """There is no journal: no hub has run there."""


class JournalDamagedError(JournalError):
    """The journal's file cannot be read as what it is."""


class JournalFullError(JournalError):
    """The journal holds as much as it may; alarms may still fit."""
