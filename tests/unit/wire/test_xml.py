"""XML of files that anybody may have made."""

import pytest

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.defects import Defects
from devicehub.wire.xml import DEEPEST, MOST_ELEMENTS, parse_xml


def test_names_lose_their_prefix_and_texts_their_space() -> None:
    root = parse_xml(b"<a:r xmlns:a='x' k='v'> <a:b>1</a:b><b> 2 &amp; 3 </b><c><b>4</b></c></a:r>", Defects())
    assert (root.name, root.attributes["k"]) == ("r", "v")
    assert [one.text for one in root.all("b")] == ["1", "2 & 3"]
    assert [one.text for one in root.every("b")] == ["1", "2 & 3", "4"]
    assert (root.said("z", "b"), root.said("z"), root.first("z")) == ("1", "", None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!DOCTYPE r><r/>", Reason.UNSUPPORTED),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', Reason.UNSUPPORTED),
        (b'<!DOCTYPE r SYSTEM "file:///etc/hostname"><r/>', Reason.UNSUPPORTED),
        (b"<r>&a;</r>", Reason.CORRUPT),
        (b"<r>", Reason.CORRUPT),
        (b"<r/><r/>", Reason.CORRUPT),
        (b"", Reason.CORRUPT),
        (b"\xff", Reason.CORRUPT),
        (b"<?xml version='1.0' encoding='no-such'?><r/>", Reason.UNSUPPORTED),
        (b"<?xml version='1.0' encoding='utf-7'?><r/>", Reason.UNSUPPORTED),
        (b"<r>" * (DEEPEST + 1), Reason.OVERFLOW),
        (b"<r>" + b"<a/>" * MOST_ELEMENTS + b"</r>", Reason.OVERFLOW),
    ],
)
def test_what_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_xml(data, Defects())
    assert refused.value.reason is reason


def test_latin_1_that_does_not_say_so_is_read_and_flagged() -> None:
    defects = Defects()
    assert parse_xml("<r>25 µs</r>".encode("latin-1"), defects).text == "25 µs"
    assert defects.texts == ("not UTF-8: read as Latin-1",)
    declared = Defects()
    assert parse_xml("<?xml version='1.0' encoding='windows-1252'?><r>€</r>".encode("cp1252"), declared).text == "€"
    assert declared.texts == ()
