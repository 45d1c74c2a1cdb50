"""Logging: text on a terminal, fields in systemd's journal, one JSON object a line elsewhere; device text is escaped.

A record of a device carries its name: `extra={"device": name}`.
"""

import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_CONTROL = (*range(9), *range(10, 32), *range(127, 160))
_SEPARATORS = (0x2028, 0x2029)
_BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in (*_CONTROL, *_SEPARATORS, *_BIDIRECTIONAL)
}
_INDENT = "    "
_PRIORITIES = (7, 7, 6, 4, 3, 2)
"""Of syslog(3), by tens of the level."""

_FIELD_MOST = 32 * 1024
JOURNAL = Path("/run/systemd/journal/socket")
_TIME = "%Y-%m-%dT%H:%M:%S%z"


def escaped(text: str) -> str:
    """Text on one line without control and bidirectional characters, so that no device can forge a line."""
    return text.translate(_ESCAPED)


class _TextFormatter(logging.Formatter):
    """One line a record; those of a traceback, which may quote a device, are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        return escaped(super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - the name that logging calls
        return "\n".join(_INDENT + escaped(line) for line in super().formatException(ei).splitlines())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, _TIME),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": escaped(record.getMessage()),
        }
        if device := _device(record):
            line["device"] = device
        if record.exc_info:
            line["traceback"] = "\n".join(map(escaped, self.formatException(record.exc_info).splitlines()))
        return json.dumps(line, ensure_ascii=False)


class _JournalHandler(logging.Handler):
    """To systemd's journal in its own protocol: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/."""

    def __init__(self, address: Path) -> None:
        super().__init__()
        self._address = str(address)
        self._speaking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._speaking.sendto(journal_fields(record, self.format(record)), self._address)
        except OSError:
            self.handleError(record)


def journal_fields(record: logging.LogRecord, text: str) -> bytes:
    """A record as the journal takes it; of each field at most `_FIELD_MOST` bytes, so that it fits in a datagram."""
    fields = {
        "MESSAGE": text,
        "PRIORITY": str(_PRIORITIES[min(record.levelno // 10, 5)]),
        "SYSLOG_IDENTIFIER": "devicehub",
        "LOGGER": record.name,
    }
    if device := _device(record):
        fields["DEVICEHUB_DEVICE"] = device
    return b"".join(_field(name, value.encode(errors="replace")[:_FIELD_MOST]) for name, value in fields.items())


def _field(name: str, value: bytes) -> bytes:
    """A value with line breaks is preceded by its length, 64 bits little-endian."""
    if b"\n" in value:
        return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name.encode() + b"=" + value + b"\n"


def _device(record: logging.LogRecord) -> str:
    return escaped(str(getattr(record, "device", "")))


def _to_journal(environment: Mapping[str, str]) -> bool:
    """Whether standard error is the journal's: systemd names its device and inode, see systemd.exec(5)."""
    try:
        told = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{told.st_dev}:{told.st_ino}"


def configure(level: str = "INFO", *, as_json: bool = False) -> None:
    """Log to standard error from `level` on. `as_json`: unless that is the journal of systemd, which has fields."""
    if as_json and _to_journal(os.environ):
        journal = _JournalHandler(JOURNAL)
        journal.setFormatter(_TextFormatter("%(message)s"))
        logging.basicConfig(level=level, handlers=[journal], force=True)
        return
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(
        _JsonFormatter() if as_json else _TextFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", _TIME)
    )
    logging.basicConfig(level=level, handlers=[stream], force=True)
