"""Sidecars of images: names, each with the texts that it has, in JSON, XML or lines of text."""

import json
from collections.abc import Iterator, Mapping
from itertools import repeat

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.defects import Defects
from devicehub.wire.xml import Element, parse_xml

MOST_BYTES = 64 * 1024
MOST_FACTS = 1000


def sidecar_facts(kind: str, data: bytes, defects: Defects) -> Mapping[str, tuple[str, ...]]:
    """Every name, in lower case, with its texts, each once and in the order of the file; "" where a name has none.

    `kind`: json, xml or txt. Raises `ProtocolError`.
    """
    if len(data) > MOST_BYTES:
        raise ProtocolError(Reason.OVERFLOW, f"{len(data)} bytes, more than {MOST_BYTES}")
    facts: dict[str, dict[str, None]] = {}
    for name, text in _said(kind, data, defects):
        facts.setdefault(name.strip().lower(), {})[text.strip()] = None
        if len(facts) > MOST_FACTS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_FACTS} names")
    return {name: tuple(texts) for name, texts in facts.items()}


def _said(kind: str, data: bytes, defects: Defects) -> Iterator[tuple[str, str]]:
    if kind == "json":
        try:
            content: object = json.loads(data, parse_int=str, parse_float=str, object_pairs_hook=_Members)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(Reason.CORRUPT, str(error)) from None
        yield from _of_json(content)
    elif kind == "xml":
        yield from _of_xml(parse_xml(data, defects))
    else:
        yield from _of_lines(data, defects)


class _Members(tuple[tuple[str, object], ...]):
    """The members of an object, those of one name too, of which a dict would keep the last."""

    __slots__ = ()


def _of_json(content: object) -> Iterator[tuple[str, str]]:
    """What stands in objects, by the name that it has there; what stands in a list has the list's."""
    within: list[Iterator[tuple[str, object]]] = [iter((("", content),))]
    while within:
        name, value = next(within[-1], (None, None))
        if name is None:
            within.pop()
        elif isinstance(value, _Members) and value:
            within.append(iter(value))
        elif isinstance(value, list) and value:
            within.append(zip(repeat(name), value))
        elif name:
            yield name, str(value) if value or value is False else ""


def _of_xml(element: Element) -> Iterator[tuple[str, str]]:
    yield from element.attributes.items()
    if element.text or not element.children:
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
