"""Exit codes after sysexits.h, and which error ends with which."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from devicehub.model.errors import (
    ConfigError,
    DeliveryError,
    DeviceHubError,
    JournalDamagedError,
    JournalError,
    JournalMissingError,
    LinkError,
    LinkPermissionError,
)


class Exit(IntEnum):
    """What a process ends with."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    STANDING = 10
    BELOW_MARK = 11
    BAD_INPUT = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    CANNOT_CREATE = 73
    IO_ERROR = 74
    RETRY = 75
    NO_PERMISSION = 77
    CONFIG = 78
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.OK: "done",
        Exit.FAILURE: "anything else that went wrong",
        Exit.USAGE: "wrong command line, an unknown driver or device in it too",
        Exit.STANDING: "an alarm stands (`alarms list --exit-code`)",
        Exit.BELOW_MARK: "an exercise below its pass mark",
        Exit.BAD_INPUT: "input that is not what it should be",
        Exit.NO_INPUT: "no such file, or a folder in its place",
        Exit.UNAVAILABLE: "device, broker or a needed program unavailable",
        Exit.INTERNAL: "internal error, please report it",
        Exit.CANNOT_CREATE: "output exists already or cannot be made",
        Exit.IO_ERROR: "reading or writing failed, as on a full disk",
        Exit.RETRY: "try again later",
        Exit.NO_PERMISSION: "no permission for a file or device",
        Exit.CONFIG: "mistake in the configuration",
        Exit.INTERRUPTED: "interrupted by Ctrl-C",
    }
)


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
    (JournalMissingError, Exit.NO_INPUT),
    (JournalDamagedError, Exit.BAD_INPUT),
    (JournalError, Exit.RETRY),
    (DeviceHubError, Exit.FAILURE),
    (FileNotFoundError, Exit.NO_INPUT),
    (IsADirectoryError, Exit.NO_INPUT),
    (NotADirectoryError, Exit.NO_INPUT),
    (PermissionError, Exit.NO_PERMISSION),
    (OSError, Exit.IO_ERROR),
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
