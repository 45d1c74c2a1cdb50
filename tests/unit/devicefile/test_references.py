"""A name that means nothing is told where it stands, wherever a file may name a field."""

from pathlib import Path

import pytest

from devicehub.devicefile.load import load
from devicehub.tomlfile.problems import ConfigProblems
from tests.unit.devicefile.files import SMALL, write

FILE = (
    SMALL.replace(
        "[[request]]",
        """\
[[channel]]
name = "tag"
title = "Tag"
kind = "scan"
[[channel]]
name = "shape"
title = "Shape"
kind = "spectrum"
[[message]]
name = "much"
match = { kind = 2 }
fields = [
    { name = "many", type = "u8", remember = true },
    { name = "rows", type = "list", count = "many", fields = [
        { name = "length", type = "u8" },
        { name = "code", type = "bytes", size = "length" },
    ], case = [{ name = "long", when = { length = 9 }, fields = [{ name = "rest", type = "u8" }] }] },
    { name = "mark", type = "text", size = 2 },
    { name = "bins", type = "array", of = "u8", count = 2 },
    { name = "late", type = "u8", when = { many = 1 } },
]
compute = { twice = "many * 2" }
measure = [{ channel = "level", value = "twice + length", each = "rows", when = { rest = 1 } }]
scan = [{ channel = "tag", field = "code", symbology = "s-{many}", aim = "mark", each = "rows" }]
spectrum = [{ channel = "shape", field = "bins", unit = "1", step = "many + 1" }]
alarm = [{ point = "full", when = { late = 1 }, text = "{mark}" }]
capability = [{ name = "tags", level = "none", cause = "fault", when = { twice = 0 } }]
trigger = [{ name = "push", when = { late = 2 } }]
identity = { serial = "mark", made = "20{many}" }
[[request]]""",
        1,
    )
    .replace('replies = ["level"]', 'replies = ["level"]\nunless = { many = 7 }')
    .replace("[[vector]]", "[simulate.values]\nlevel = { level = 3 }\n[[vector]]", 1)
)
WRONG = [
    ('count = "many"', 'count = "mny"', "there is no such field; did you mean 'many'?"),
    ('size = "length"', 'size = "many"', "there is no such field"),
    ("when = { length = 9 }", "when = { many = 9 }", "there is no such field"),
    ("when = { many = 1 }", "when = { marks = 1 }", "there is no such field; did you mean 'mark'?"),
    ('"many * 2"', '"many * late2"', "did you mean 'late'?"),
    ('"twice + length"', '"twice + lenght"', "did you mean 'length'?"),
    ("when = { rest = 1 }", "when = { rset = 1 }", "did you mean 'rest'?"),
    ('field = "code"', 'field = "cod"', "did you mean 'code'?"),
    ('"s-{many}"', '"s-{manny}"', "did you mean 'many'?"),
    ('aim = "mark"', 'aim = "marc"', "did you mean 'mark'?"),
    ('field = "bins"', 'field = "bin"', "did you mean 'bins'?"),
    ('step = "many + 1"', 'step = "most + 1"', "there is no such field"),
    ("when = { late = 1 }", "when = { lat = 1 }", "did you mean 'late'?"),
    ('text = "{mark}"', 'text = "{marks}"', "did you mean 'mark'?"),
    ("when = { late = 2 }", "when = { bins = 2 }", "there is no such field"),
    ("when = { twice = 0 }", "when = { twic = 0 }", "did you mean 'twice'?"),
    ("when = { late = 2 }", "when = { lte = 2 }", "there is no such field"),
    ('"length", type = "u8" }', '"length", type = "u8", remember = true }', "a list's element cannot be kept"),
    ('"rest", type = "u8" }', '"rest", type = "u8", remember = true }', "a list's element cannot be kept"),
    ('serial = "mark"', 'serial = "marks"', "did you mean 'mark'?"),
    ('made = "20{many}"', 'made = "20{year}"', "there is no such field"),
    ("unless = { many = 7 }", "unless = { mark = 7 }", "there is no such remembered field"),
    ("level = { level = 3 }", "level = { levl = 3 }", "did you mean 'level'?"),
]


def test_the_file_is_right(tmp_path: Path) -> None:
    assert load(write(tmp_path, FILE)).file.title == "Probe"


@pytest.mark.parametrize(("old", "new", "words"), WRONG, ids=[new for _, new, _ in WRONG])
def test_a_name_that_means_nothing_is_told_at_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert FILE.count(old) == 1
    text = FILE.replace(old, new)
    path = write(tmp_path, text)
    with pytest.raises(ConfigProblems) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert words in problem.text
    assert problem.line == text[: text.index(new)].count("\n") + 1
