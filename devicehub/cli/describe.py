"""A driver's declaration as JSON values and as text."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType

from devicehub.driver import (
    Beacon,
    BleLink,
    Driver,
    FileLink,
    Link,
    NetworkLink,
    OperatorLink,
    SerialLink,
    UsbLink,
    VideoLink,
)
from devicehub.model.device import Channel, Option, UsbId

LINKS: Mapping[type[Link], str] = MappingProxyType(
    {
        SerialLink: "serial",
        UsbLink: "usb",
        BleLink: "ble",
        VideoLink: "video",
        FileLink: "files",
        OperatorLink: "operator",
        NetworkLink: "network",
    }
)
Json = dict[str, object]


def driver_json(driver: Driver) -> Json:
    """Everything that is declared."""
    return {
        "name": driver.name,
        "title": driver.title,
        "category": str(driver.category),
        "link": {"kind": LINKS[type(driver.link)], **_fields(driver.link)},
        "integrity": driver.integrity,
        "plausibility": driver.plausibility,
        "evidence": str(driver.evidence),
        "capabilities": list(driver.capabilities),
        "channels": [channel_json(channel) for channel in driver.channels],
        "options": [_option_json(option) for option in driver.options],
    }


def channel_json(channel: Channel) -> Json:
    """One channel; without bounds that are infinite."""
    facts: Json = {"name": channel.name, "title": channel.title, "kind": str(channel.kind), "unit": str(channel.unit)}
    return facts | _bounds(channel.low, channel.high) | ({"states": list(channel.states)} if channel.states else {})


def _option_json(option: Option) -> Json:
    facts: Json = {"name": option.name, "title": option.title, "default": option.default}
    return facts | _bounds(option.low, option.high) | ({"choices": list(option.choices)} if option.choices else {})


def _bounds(low: float, high: float) -> Json:
    return {name: value for name, value in (("low", low), ("high", high)) if math.isfinite(value)}


def _fields(link: Link) -> Json:
    return {field.name: _plain(getattr(link, field.name)) for field in fields(link)}


def _plain(value: object) -> object:
    if isinstance(value, UsbId):
        return str(value)
    if isinstance(value, Beacon):
        return value.port
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def link_lines(link: Link) -> Iterator[tuple[str, str]]:
    """What is declared about a link, as a name and its values in words; without what is empty."""
    for name, value in _fields(link).items():
        if value not in ("", [], None):
            yield name.replace("_", " "), _words(value)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "{fourcc} {width}x{height} {fps:g} Hz".format(**value)
    if isinstance(value, list):
        inner = [f"{one[0]}/{one[1]}" if isinstance(one, list) else _words(one) for one in value]
        return ", ".join(inner)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def span(low: float, high: float) -> str:
    """A range in words, empty when there is none."""
    if math.isfinite(low) and math.isfinite(high):
        return f"{low:g}..{high:g}"
    return f">= {low:g}" if math.isfinite(low) else f"<= {high:g}" if math.isfinite(high) else ""
