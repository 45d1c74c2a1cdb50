"""What is logged: no device can forge a line or turn one around."""

import json
import logging
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from devicehub.log import configure, escaped, journal_fields

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


def test_the_journal_gets_fields_with_the_device_and_what_has_several_lines_with_its_length() -> None:
    record = logging.LogRecord("devicehub.collect", logging.WARNING, "", 0, "lost", (), None)
    record.device = "trace-1"
    fields = journal_fields(record, "lost\n    why")
    assert fields.startswith(b"MESSAGE\n" + struct.pack("<Q", 12) + b"lost\n    why\nPRIORITY=4\n")
    assert b"\nDEVICEHUB_DEVICE=trace-1\n" in fields
    assert b"DEVICEHUB_DEVICE" not in journal_fields(logging.LogRecord("x", 10, "", 0, "", (), None), "")


@pytest.mark.real
def test_where_standard_error_is_the_journal_it_is_spoken_to_in_its_own_words(tmp_path: Path) -> None:
    """systemd says that it is by the device and inode of standard error."""
    code = """
import logging, os, pathlib, sys
from devicehub import log
told = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{told.st_dev}:{told.st_ino}"
log.JOURNAL = pathlib.Path(sys.argv[1])
log.configure(as_json=True)
logging.getLogger("hub").error("device %s is lost", "a\\nb", extra={"device": "trace-1"})
"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        journal.settimeout(30)
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "socket")], capture_output=True, check=True)
        fields = journal.recv(65536)
    assert done.stderr == b""
    assert fields == (
        b"MESSAGE=device a\\x0ab is lost\nPRIORITY=3\nSYSLOG_IDENTIFIER=devicehub\nLOGGER=hub\nDEVICEHUB_DEVICE=trace-1\n"
    )
