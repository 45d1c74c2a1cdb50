"""Logging: text on a terminal, one JSON object a line elsewhere; device text is escaped either way."""

import json
import logging
import sys
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_CONTROL = (*range(9), *range(10, 32), *range(127, 160))
_SEPARATORS = (0x2028, 0x2029)
_BIDIRECTIONAL = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in (*_CONTROL, *_SEPARATORS, *_BIDIRECTIONAL)
}
_INDENT = "    "
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
        if record.exc_info:
            line["traceback"] = "\n".join(map(escaped, self.formatException(record.exc_info).splitlines()))
        return json.dumps(line, ensure_ascii=False)


def configure(level: str = "INFO", *, as_json: bool = False) -> None:
    """Log to standard error from `level` on."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(
        _JsonFormatter() if as_json else _TextFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", _TIME)
    )
    logging.basicConfig(level=level, handlers=[stream], force=True)
