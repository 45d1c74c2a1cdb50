"""UTC seconds as the text that goes over the wire."""

from datetime import UTC, datetime


def seconds_between(since: str, until: str) -> float:
    """From one such text to another."""
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def instant(utc: float) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T09:14:07.412Z`."""
    return datetime.fromtimestamp(utc, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
