"""Words of a command line as values. Each raises `ArgumentTypeError` saying what is wrong."""

import argparse
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

_SPAN: Final = re.compile(r"(?P<count>\d{1,6}(\.\d{1,3})?)(?P<unit>[smhdw])")
_PAIR: Final = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,64}")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def seconds(text: str) -> float:
    """A time in seconds above 0."""
    return _above_0(text, "a number of seconds")


def port(text: str) -> int:
    """A TCP port, 0 for any that is free."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port number from 0 to 65535")
    return int(text)


def speed(text: str) -> float:
    """A factor above 0."""
    return _above_0(text, "a number")


def pace(text: str) -> float:
    """A factor above 0, at most 100."""
    if (value := speed(text)) > 100:
        raise argparse.ArgumentTypeError(f"'{text}' must be at most 100")
    return value


def _above_0(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}") from None
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' must be {what} above 0")
    return value


def whole(most: int) -> Callable[[str], int]:
    """Whole numbers from 1 to `most`."""

    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text[:12]) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' must be a whole number from 1 to {most}")
        return int(text)

    return number


def option(text: str) -> tuple[str, str]:
    """`NAME=VALUE` as name and value."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"'{text}' must be NAME=VALUE")
    return name, value


def span(text: str) -> float:
    """A time above 0 as `90s`, `30m`, `8h`, `30d` or `2w`, in seconds."""
    found = _SPAN.fullmatch(text)
    length = timedelta() if found is None else timedelta(**{_UNITS[found["unit"]]: float(found["count"])})
    if not length:
        raise argparse.ArgumentTypeError(f"'{text}' is no time as 90s, 30m, 8h, 30d or 2w")
    return length.total_seconds()


def since(text: str) -> timedelta | datetime:
    """How long ago, as `30d`, or an instant with its time zone."""
    if _SPAN.fullmatch(text):
        return timedelta(seconds=span(text))
    moment = _instant(text)
    if moment is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no time as 8h or 30d, and no instant as 2026-11-24T09:00:00Z")
    return moment


def instant(text: str) -> str:
    """An instant with its time zone, as it was given."""
    if _instant(text) is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no instant with its time zone, as 2026-11-24T09:00:00Z")
    return text


def alarm(text: str) -> dict[str, str]:
    """`DEVICE/POINT`, or the id of a standing alarm, as the arguments that name it."""
    if _PAIR.fullmatch(text):
        device, _, point = text.partition("/")
        return {"device": device, "point": point}
    if re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text):
        return {"alarm": text}
    raise argparse.ArgumentTypeError(f"'{text}' must be DEVICE/POINT, or the id of an alarm")


def node(text: str) -> str:
    """`SITE/NODE`, as `hub.site` and `hub.node` have them."""
    if _PAIR.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"'{text}' must be SITE/NODE, both of a-z, 0-9 and -")
    return text


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
