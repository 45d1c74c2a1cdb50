"""A device file's mistakes, each where it stands; and what it takes to be loaded at all."""

from pathlib import Path

import pytest

from devicehub.devicefile.load import driver, load
from devicehub.model.device import Category
from devicehub.model.errors import ConfigError
from devicehub.model.units import Unit
from devicehub.tomlfile.problems import ConfigProblems
from tests.unit.devicefile.files import SMALL, compiled, write

MISTAKES = [
    ('send = "01"', 'send = "0"', "24:1", "not bytes from '0' on"),
    ('send = "01"', 'sent = "01"', "24:1", "request[0].sent: unknown key; did you mean 'send'?"),
    ('unit = "%", channel', 'unit = "V", channel', "21:42", "channel 'level' is in %"),
    ('channel = "level" }', 'channel = "levels" }', "21:54", "there is no such channel; did you mean 'level'?"),
    ("match = { kind = 1 }", "match = { sort = 1 }", "20:11", "there is no such field"),
    ("match = { kind = 1 }", "match = { kind = {} }", "20:1", "must be a value, a list of values or a table"),
    ('replies = ["level"]', 'replies = ["leve"]', "25:12", "there is no such message; did you mean 'level'?"),
    ('unit = "%"\n[[message', 'unit = "percent"\n[[message', "17:1", "no such unit"),
    ('type = "u8", unit', 'type = "u9", unit', "21:29", "must be 'u8', 'u16'"),
    ("period_s = 1", "period_s = -1", "26:1", "must be at least 0"),
    ('kind = "sum"', 'kind = "crc"\npoly = 7', "12:3", "a crc needs 'check'"),
    ('kind = "sum"', 'kind = "crc"\npoly = 7\ncheck = 1', "12:3", "over '123456789' it gives 0xf4, not 0x1"),
    ('request_head = "{length:u8}"', 'request_head = "{size:u8}"', "11:1", "there is no such option or counter"),
    ("adjust = 1", "adjust = 1\nescape = {}", "9:1", "frame.escape: has no meaning for kind = 'length'"),
    ("decoded = { level = 50 }", "decoded = { level = 51 }", "28:3", "vector[0]: level = 50, not 51"),
    ('hex = "03 01 32 36"', 'hex = "03 01 32 37"', "28:3", "vector[0]: is refused: checksum"),
    ('["level 50 good"]', '["level 50 bad"]', "28:3", "vector[0]: gives the samples ['level 50 good']"),
    (
        'unit = "%"\n[[message',
        'unit = "%"\nlow = 51\n[[message',
        "29:3",
        "gives level 50, which its channel (51 to inf) cannot be",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "words"), MISTAKES, ids=[new for _, new, *_ in MISTAKES])
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, place: str, words: str) -> None:
    assert SMALL.count(old) == 1
    path = write(tmp_path, SMALL.replace(old, new))
    with pytest.raises(ConfigProblems) as caught:
        load(path)
    text = str(caught.value)
    assert any(line.startswith(f"{path}:{place}  ") and words in line for line in text.splitlines()), text


def test_a_file_without_a_vector_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL[: SMALL.index("[[vector]]")])
    with pytest.raises(ConfigError, match="set untested = true"):
        load(path)


def test_a_channel_that_nothing_feeds_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL.replace("[[message", '[[channel]]\nname = "other"\ntitle = "x"\n[[message', 1))
    with pytest.raises(ConfigError, match="no field or measure gives it a value"):
        load(path)


def test_it_is_a_driver_like_any_other(tmp_path: Path) -> None:
    made = driver(compiled(tmp_path), "trace.probe")
    assert made.category is Category.TRACE
    assert made.channel("level").unit is Unit.PERCENT
    assert made.integrity == "sum-8"
    assert not made.timed


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    import os

    path = write(tmp_path)
    assert load(path) is load(path)
    path.write_text(SMALL.replace("Probe", "Other"))
    os.utime(path, ns=(1, 1))
    assert load(path).file.title == "Other"


NEVER = """\
[[forbidden]]
title = "erase it"
send = "4d"
[[forbidden]]
title = "restore it"
send = "52"
[[vector]]
forbidden = "erase it"
hex = "03 4d 07 57"
source = "worked out by hand"
[[vector]]"""


def test_the_published_bytes_of_a_command_that_is_never_sent_prove_that_the_link_refuses_it(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, SMALL.replace("[[vector]]", NEVER)))
    assert [vector.forbidden for vector in loaded.file.vector] == ["erase it", None]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('forbidden = "erase it"', 'forbidden = "erase"', "there is no such title; did you mean 'erase it'?"),
        ('forbidden = "erase it"', 'forbidden = "restore it"', "vector[0]: is not the command 'restore it'"),
        ('forbidden = "erase it"', 'forbidden = "erase it"\nrequest = "ask"', "exactly one of message, request, fault and"),
        ("03 4d 07 57", "03 4d 07 58", "vector[0]: is refused: checksum"),
        ("03 4d 07 57", "03 4d 07 57 03 4d 07 57", "vector[0]: holds 2 requests"),
        ("03 4d 07 57", "03 4d 07", "vector[0]: holds 0 requests"),
        ("03 4d 07 57", "02 01 03", "vector[0]: is not the command 'erase it'"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_the_command_they_are_said_to_be_are_told(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(write(tmp_path, SMALL.replace("[[vector]]", NEVER.replace(old, new, 1))))
    assert words in str(caught.value)
