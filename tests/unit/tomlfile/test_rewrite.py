"""Values are changed in place: nothing else of a file, and nothing that is not understood."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.errors import ConfigError
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.rewrite import Scalar, rewritten

TEXT = """# The limits of lane 2.
[rules]
version = 1   # the first
author = 'M. Muster'
reason = "limits of the acceptance test"

[[limit]]
device = "vapour-1"
channel = "voc"
high = 20.0  # ppm
[[limit]]
device = "vapour-2"
channel = "voc"
high = 1_000
low = -5e1
"""


def test_only_the_value_changes_and_every_comment_stays() -> None:
    values: dict[KeyPath, Scalar] = {
        ("limit", 0, "high"): 25.5,
        ("rules", "version"): 2,
        ("rules", "author"): 'A. "B" Čika',
    }
    changed = rewritten(TEXT, values)
    old, new = TEXT.splitlines(), changed.splitlines()
    assert [new[at] for at in range(len(new)) if new[at] != old[at]] == [
        "version = 2   # the first",
        'author = "A. \\"B\\" Čika"',
        "high = 25.5  # ppm",
    ]


def test_lines_keep_their_ends() -> None:
    changed = rewritten(TEXT.replace("\n", "\r\n"), {("limit", 1, "low"): -60.0})
    assert changed.replace("\r\n", "\n") == TEXT.replace("-5e1", "-60.0")
    assert changed.count("\r\n") == TEXT.count("\n")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (TEXT, ("limit", 2, "high")),
        (TEXT, ("limit", 0, "low")),
        ('[rules]\nreason = """two\nlines"""\n', ("rules", "reason")),
        ("[rules]\nversion = [1]\n", ("rules", "version")),
        ("[rules]\nversion = 7\n", ("rules", "version")),
    ],
)
def test_what_is_not_there_not_plain_or_not_another_value_is_refused(text: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(ConfigError):
        rewritten(text, {path: 7})


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(2, 10**9),
)
def test_whatever_is_written_is_read_again(reason: str, limit: float, version: int) -> None:
    values: dict[KeyPath, Scalar] = {
        ("rules", "reason"): reason,
        ("rules", "version"): version,
        ("limit", 0, "high"): limit,
    }
    read = tomllib.loads(rewritten(TEXT, values))
    assert (read["rules"]["reason"], read["rules"]["version"], read["limit"][0]["high"]) == (reason, version, limit)
    assert read["limit"][1] == tomllib.loads(TEXT)["limit"][1]
