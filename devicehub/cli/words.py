"""Words of a command line as values. Each raises `ArgumentTypeError` saying what is wrong."""

import argparse
from collections.abc import Callable


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
