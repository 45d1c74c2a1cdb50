"""Sidecars of images: a flat set of names and texts in JSON, XML or lines of text."""

from collections.abc import Iterator, Mapping

import msgspec

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.defects import Defects
from devicehub.wire.xml import Element, parse_xml

MOST_BYTES = 64 * 1024
MOST_FACTS = 1000


def sidecar_facts(kind: str, data: bytes, defects: Defects) -> Mapping[str, str]:
    """Every name, in lower case, with its first text. `kind`: json, xml or txt. Raises `ProtocolError`."""
    if len(data) > MOST_BYTES:
        raise ProtocolError(Reason.OVERFLOW, f"{len(data)} bytes, more than {MOST_BYTES}")
    facts: dict[str, str] = {}
    for name, text in _said(kind, data, defects):
        facts.setdefault(name.strip().lower(), text.strip())
        if len(facts) > MOST_FACTS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_FACTS} names")
    return facts


def _said(kind: str, data: bytes, defects: Defects) -> Iterator[tuple[str, str]]:
    if kind == "json":
        try:
            yield from _of_json("", msgspec.json.decode(data))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise ProtocolError(Reason.CORRUPT, str(error)) from None
    elif kind == "xml":
        yield from _of_xml(parse_xml(data, defects))
    else:
        yield from _of_lines(data, defects)


def _of_json(name: str, value: object) -> Iterator[tuple[str, str]]:
    """What stands in objects, by the name that it has there."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _of_json(str(key), one)
    elif isinstance(value, str | int | float) and name:
        yield name, str(value)


def _of_xml(element: Element) -> Iterator[tuple[str, str]]:
    yield from element.attributes.items()
    if element.text:
        yield element.name, element.text
    for child in element.children:
        yield from _of_xml(child)


def _of_lines(data: bytes, defects: Defects) -> Iterator[tuple[str, str]]:
    """`name = text` or `name: text`, whichever comes first in the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        defects.add("not UTF-8: read as Latin-1")
        text = data.decode("latin-1")
    for line in text.splitlines():
        place = min((at for at in (line.find("="), line.find(":")) if at > 0), default=0)
        if place:
            yield line[:place], line[place + 1 :]
