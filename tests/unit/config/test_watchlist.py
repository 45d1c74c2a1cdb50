"""The file of a watch list: what makes one, and every mistake at its line."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.watchlist import load_watchlist, watchlist_text
from devicehub.core.watchlist import WatchList, entry

KEY = b"k" * 32
ENTRIES = [entry(text, KEY) for text in ("TKT-1", "UTO L898902C3", "TKT-1")]
GOOD = "\n".join(watchlist_text("stolen", KEY, ENTRIES)) + "\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "watchlist.txt"
    path.write_text(text)
    return path


def problems(folder: Path, text: str, key: bytes | None = KEY) -> list[str]:
    path = written(folder, text)
    with pytest.raises(ConfigProblems) as caught:
        load_watchlist(path, key)
    return [str(one).removeprefix(f"{path}:") for one in caught.value.problems]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert load_watchlist(written(tmp_path, GOOD), KEY) == WatchList.of("stolen", ENTRIES)
    assert load_watchlist(written(tmp_path, GOOD.replace("\n", "\r\n\r\n# more\r\n")), KEY).digests == set(ENTRIES)


def test_the_order_of_the_entries_tells_nothing() -> None:
    assert list(watchlist_text("stolen", KEY, ENTRIES)) == list(watchlist_text("stolen", KEY, reversed(ENTRIES)))


def test_a_hash_as_it_is_published_of_a_scan_is_an_entry(tmp_path: Path) -> None:
    published = "hmac-sha256:" + entry("TKT-2", KEY).hex()
    assert load_watchlist(written(tmp_path, GOOD + published), KEY).has(b"TKT-2", KEY)


def test_a_list_without_entries_watches_for_nothing(tmp_path: Path) -> None:
    text = "\n".join(watchlist_text("stolen", KEY, []))
    assert load_watchlist(written(tmp_path, text), KEY) == WatchList.of("stolen", [])


def test_a_text_that_was_not_hashed_is_a_mistake_that_does_not_repeat_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD + "UTO L898902C3\n")
    assert problem.startswith("6:1  must be an entry of 64 hexadecimal digits")
    assert "L898902C3" not in problem


@pytest.mark.parametrize("line", ["ab" * 31, "AB" * 32, "ab" * 33, "ü" * 64, "a" * 100_000, "label other", "\0"])
def test_each_wrong_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    assert [one.partition(":")[0] for one in problems(tmp_path, f"{GOOD}{line}\n{'ab' * 32}\n\n{line}\n")] == ["6", "9"]


def test_a_list_of_another_key_would_never_match_and_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, b"another key")
    assert problem.startswith("3:1  made with another key")
    assert load_watchlist(written(tmp_path, GOOD), None).label == "stolen", (
        "nobody knows the key: nothing to hold it to"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1:1  has no key", "1:1  has no label"]),
        (GOOD.replace("label stolen", "label Stolen"), ["2:1  the label must be"]),
        (GOOD.replace("label stolen\n", ""), ["1:1  has no label"]),
    ],
)
def test_a_list_has_a_label_and_a_key(tmp_path: Path, text: str, said: list[str]) -> None:
    found = problems(tmp_path, text)
    assert [one.startswith(word) for one, word in zip(found, said, strict=True)] == [True] * len(said)


def test_a_file_of_something_else_is_not_read_to_its_end(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "x\n" * 1000)) == 22


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="watch list cannot be read: No such file or directory"):
        load_watchlist(tmp_path / "none", KEY)


def test_the_configuration_names_it_relative_to_itself_and_checks_that_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text('[hub]\nsite = "s"\nnode = "n"\n[scan]\nwatchlist = "watchlist.txt"\n')
    assert load_config(path).scan.watchlist == tmp_path / "watchlist.txt"
    with pytest.raises(ConfigProblems, match=r"devicehub\.toml:5:1  scan\.watchlist: no such file"):
        load_config(path, present=True)
    written(tmp_path, GOOD)
    assert load_config(path, present=True).scan.watchlist is not None
