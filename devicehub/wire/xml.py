"""XML of files that anybody may have made: no document type, hence no entity of its own and nothing external.

Size, depth and number of elements are bounded, and the text is parsed in one piece, so that no file takes longer than
its size allows. Prefixes are cut off: instruments differ in them, and no format here has two elements of one name.

Source: W3C, Extensible Markup Language (XML) 1.0; the attacks: OWASP, XML Security Cheat Sheet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.defects import Defects

DEEPEST = 32
MOST_ELEMENTS = 20_000
_ALL_OF_IT = True
_LATIN1 = "iso-8859-1"
_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]


@dataclass(slots=True)
class Element:
    """One element. `text`: all characters directly in it, without space around them."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list["Element"])
    text: str = ""

    def all(self, name: str) -> Iterator["Element"]:
        """Its children of that name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> "Element | None":
        """Its first child of that name."""
        return next(self.all(name), None)

    def said(self, *names: str) -> str:
        """The text of its first child of one of these names; empty where there is none."""
        return next((child.text for name in names for child in self.all(name)), "")

    def every(self, name: str) -> Iterator["Element"]:
        """The outermost of that name below it, in the order of the file."""
        for child in self.children:
            if child.name == name:
                yield child
            else:
                yield from child.every(name)


def parse_xml(data: bytes, defects: Defects) -> Element:
    """The root. A file that claims to be UTF-8 and is not is read as Latin-1, which is a defect.

    Raises `ProtocolError`: CORRUPT, UNSUPPORTED for a document type or an unknown encoding, OVERFLOW.
    """
    try:
        return _Tree(None).parse(data)
    except UnicodeDecodeError:
        defects.add("not UTF-8: read as Latin-1")
        return _Tree(_LATIN1).parse(data)


class _Tree:
    """Takes what the parser meets."""

    def __init__(self, encoding: str | None) -> None:
        self._undeclared = encoding is None
        self._parser = expat.ParserCreate(encoding)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._open = [Element("", {})]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def parse(self, data: bytes) -> Element:
        """Raises `ProtocolError`, and `UnicodeDecodeError` for what is no UTF-8 and should be."""
        try:
            self._parser.Parse(data, _ALL_OF_IT)
        except expat.ExpatError as error:
            if self._undeclared and error.code == _INVALID_TOKEN:
                data.decode()
            raise ProtocolError(Reason.CORRUPT, f"line {error.lineno}: {expat.ErrorString(error.code)}") from None
        except (LookupError, ValueError) as error:
            raise ProtocolError(Reason.UNSUPPORTED, f"encoding: {error}") from None
        return self._open[0].children[0]

    def _doctype(self, *_: object) -> None:
        raise ProtocolError(Reason.UNSUPPORTED, "XML with a document type")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise ProtocolError(Reason.OVERFLOW, f"more than {MOST_ELEMENTS} elements")
        if len(self._open) > DEEPEST:
            raise ProtocolError(Reason.OVERFLOW, f"elements deeper than {DEEPEST}")
        element = Element(name.rpartition(":")[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def _end(self, name: str) -> None:
        del name
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)
