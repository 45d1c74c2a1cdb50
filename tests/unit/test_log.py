"""What is logged: no device can forge a line or turn one around."""

import json
import logging
import re

import pytest

from devicehub.log import configure, escaped

FORGED = "sensor\n2026-01-01 INFO all is well\r\x1b[2K\u202edrawkcab\u2028"


@pytest.mark.parametrize("text", ["plain", "Grüße, 東京 ✓", "tab\there"])
def test_text_that_does_no_harm_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


def test_what_ends_or_turns_a_line_is_written_out() -> None:
    assert escaped(FORGED) == (r"sensor\x0a2026-01-01 INFO all is well\x0d\x1b[2K\u202edrawkcab\u2028")


def logged(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> list[str]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure("INFO", as_json=as_json)
        try:
            int(FORGED)
        except ValueError:
            logging.getLogger("test").exception("device %s failed", FORGED)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    return capsys.readouterr().err.splitlines()


def test_a_record_is_one_line_and_its_traceback_is_indented(capsys: pytest.CaptureFixture[str]) -> None:
    first, *rest = logged(capsys, as_json=False)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ERROR ", first), "a time without its zone"
    assert first.endswith(f"ERROR test device {escaped(FORGED)} failed")
    assert any("ValueError" in line for line in rest)
    assert all(line.startswith("    ") for line in rest)


def test_as_json_a_record_with_its_traceback_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = logged(capsys, as_json=True)
    record = json.loads(line)
    assert record["message"] == f"device {escaped(FORGED)} failed"
    assert (record["level"], record["logger"]) == ("error", "test")
    assert "ValueError" in record["traceback"]
