"""Exit codes after sysexits.h, and which error ends with which."""

from enum import IntEnum

from devicehub.model.errors import (
    ConfigError,
    DeliveryError,
    DeviceHubError,
    JournalError,
    LinkError,
    LinkPermissionError,
)


class Exit(IntEnum):
    """What a process ends with."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    BAD_INPUT = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    RETRY = 75
    NO_PERMISSION = 77
    CONFIG = 78
    INTERRUPTED = 130


class CommandError(DeviceHubError):
    """A command that cannot be carried out, with its exit code."""

    def __init__(self, code: Exit, text: str) -> None:
        super().__init__(text)
        self.code = code


_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (ConfigError, Exit.CONFIG),
    (LinkPermissionError, Exit.NO_PERMISSION),
    (LinkError, Exit.UNAVAILABLE),
    (DeliveryError, Exit.UNAVAILABLE),
    (JournalError, Exit.RETRY),
    (DeviceHubError, Exit.FAILURE),
    (FileNotFoundError, Exit.NO_INPUT),
    (PermissionError, Exit.NO_PERMISSION),
    (OSError, Exit.FAILURE),
)


def exit_code(error: BaseException) -> Exit | None:
    """The exit code of an expected error; None for a bug.

    An `OSError` is expected when it names the file that the user gave.
    """
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, OSError) and error.filename is None:
        return None
    return next((code for kind, code in _CODES if isinstance(error, kind)), None)
