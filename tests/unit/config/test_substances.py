"""Substance libraries: the one that ships, and every mistake with its place."""

import re
import tomllib
from pathlib import Path

import pytest

from devicehub.config import ConfigProblems
from devicehub.config.resources import shipped
from devicehub.config.substances import NAME, LibraryFile, load_library, shipped_library

SHIPPED = shipped("substances") / NAME
SMALL = """schema_version = 1
name = "small"
version = "1"
scale = "x"
status = "site"
[signal]
quiet_ms = [2.5, 5.5]
fwhm_ms = [0.15, 0.45]
snr = 6.0
strong_snr = 15.0
[run]
minimum_scans = 3
usable_fraction = 0.8
carry_over = 3.0
[[mode]]
name = "negative"
pair_tolerance = 0.003
calibrant = { name = "c", k0 = 1.652, amplitude = [250, 40000], source = "s", confidence = "definition" }
reactant = { name = "r", k0 = 2.75, amplitude = [2000, 65535], source = "s", confidence = "measured" }
[[line]]
name = "TNT"
mode = "negative"
k0 = 1.451
window = 0.004
source = "measured 2026-01-10 on unit 3"
confidence = "measured"
[[substance]]
name = "TNT"
group = "explosives"
mode = "negative"
required = ["TNT"]
threshold = 150
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ConfigProblems) as caught:
        load_library(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_the_library_that_ships_says_that_it_is_for_training_only() -> None:
    library = shipped_library()
    assert library.status == "training"
    assert {line.confidence for line in library.lines} <= {"training", "approximate"}
    assert all(line.source for line in library.lines)
    assert "NOT FOR DETECTION" in SHIPPED.read_text(encoding="utf-8").splitlines()[0]


def test_the_library_that_ships_names_fruit_acids_where_they_are_known_to_alarm() -> None:
    rules = {one.name: one for one in shipped_library().substances}
    for name in ("2,4-DNT", "TNT", "RDX", "nitroglycerin", "HMX"):
        assert rules[name].interferents == ("ascorbic acid", "citric acid", "malic acid", "tartaric acid")
    assert rules["RDX"].any_of == ("RDX.Cl-", "RDX.NO3-")
    assert {one.group for one in rules.values()} == {"explosives", "narcotics"}


def test_a_small_library_is_read_as_it_is_written(tmp_path: Path) -> None:
    library = load_library(write(tmp_path, SMALL))
    (line,), (rule,), (mode,) = library.lines, library.substances, library.modes
    assert (line.k0, line.window, line.confidence, line.interferent) == (1.451, 0.004, "measured", False)
    assert (rule.required, rule.threshold, rule.minimum_scans) == (("TNT",), 150.0, 3)
    assert (mode.calibrant.amplitude, mode.pair_tolerance) == ((250.0, 40000.0), 0.003)
    assert library.signal.quiet_ms == (2.5, 5.5)


def test_the_digest_is_of_the_content_and_not_of_the_writing(tmp_path: Path) -> None:
    first = load_library(write(tmp_path, SMALL)).digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", first)
    rewritten = "# a remark\n" + SMALL.replace("k0 = 1.451", "k0 = 1.4510").replace('["TNT"]', '[ "TNT", ]')
    assert load_library(write(tmp_path, rewritten)).digest == first
    for old, new in (("1.451", "1.452"), ("unit 3", "unit 4"), ("= 150", "= 151"), ("= 3\n", "= 4\n")):
        assert load_library(write(tmp_path, SMALL.replace(old, new, 1))).digest != first


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("k0 = 1.451", "k0 = 14.51", "23:1  line[0].k0 = 14.51: must be at most 5"),
        ("k0 = 1.451", 'k0 = "1.451"', '23:1  line[0].k0 = "1.451": must be a number'),
        ("k0 = 1.451", "k0 = nan", "23:1  line[0].k0 = nan: must be a finite number"),
        ("k0 = 1.451", "k0 = 1.62", "23:1  line[0].k0 = 1.62: cannot be told from c at 1.652"),
        ("k0 = 1.451", "k0 = 2.7", "23:1  line[0].k0 = 2.7: cannot be told from r at 2.75"),
        ("window =", "windows =", "24:1  line[0].windows: unknown key; did you mean 'window'?"),
        ("k0 = 2.75", "k0 = 1.66", "19:26  mode[0].reactant.k0 = 1.66: cannot be told from the calibrant"),
        ("[250, 40000]", "[40000, 250]", "18:39  mode[0].calibrant.amplitude = an array: must be two numbers in ascending order, as [1.0, 2.0]"),
        ("[2.5, 5.5]", "[2.5, true]", "7:1  signal.quiet_ms = an array: must be two numbers in ascending order, as [1.0, 2.0]"),
        ('required = ["TNT"]', 'required = ["TMT"]', "31:13  substance[0].required[0] = \"TMT\": no line of mode negative; did you mean 'TNT'?"),
        ('required = ["TNT"]', 'required = "TNT"', '31:1  substance[0].required = "TNT": must be an array of names in quotes'),
        ('required = ["TNT"]\n', "", "27:3  substance[0]: must have required, any_of or both"),
        ('required = ["TNT"]', 'required = ["TNT"]\nexclusion = ["TNT"]', '32:14  substance[0].exclusion[0] = "TNT": cannot both speak for and against'),
        ('mode = "negative"\nrequired', 'mode = "neutral"\nrequired', "30:1  substance[0].mode = \"neutral\": must be 'negative' or 'positive'"),
        ("threshold = 150", "threshold = 0", "32:1  substance[0].threshold = 0: must be greater than 0"),
        ('group = "explosives"', 'group = "Explosives!"', "29:1  substance[0].group = \"Explosives!\": must be 1 to 64 characters of a-z, 0-9 and '-'"),
        ("schema_version = 1", "schema_version = 2", "1:1  schema_version = 2: must be 1"),
        ("pair_tolerance = 0.003", "pair_tolerance = 0.2", "17:1  mode[0].pair_tolerance = 0.2: must be at most 0.02"),
        ("minimum_scans = 3\n", "", "11:2  run.minimum_scans: missing; Scans in a row that show a substance"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in SMALL
    assert problem in mistakes(tmp_path, SMALL.replace(old, new, 1))


def test_a_library_without_modes_is_a_mistake(tmp_path: Path) -> None:
    modes = SMALL[SMALL.index("[[mode]]") :]
    assert mistakes(tmp_path, "mode = []\n" + SMALL.replace(modes, "")) == [
        "1:1  mode: must have at least one [[mode]]"
    ]


def test_names_are_used_once(tmp_path: Path) -> None:
    line, rule = SMALL[SMALL.index("[[line]]") : SMALL.index("[[substance]]")], SMALL[SMALL.index("[[substance]]") :]
    mode = SMALL[SMALL.index("[[mode]]") : SMALL.index("[[line]]")]
    assert mistakes(tmp_path, SMALL + line + rule + mode + line.replace("[[line]]", "[[interferent]]")) == [
        '34:1  line[1].name = "TNT (negative)": already used by line[0]',
        '41:1  substance[1].name = "TNT": already used by substance[0]',
        '47:1  mode[1].name = "negative": already used by mode[0]',
        '52:1  interferent[0].name = "TNT (negative)": already used by line[0]',
    ]


def test_the_same_ion_may_be_seen_in_both_modes(tmp_path: Path) -> None:
    mode = SMALL[SMALL.index("[[mode]]") : SMALL.index("[[line]]")].replace("negative", "positive")
    line = SMALL[SMALL.index("[[line]]") : SMALL.index("[[substance]]")].replace("negative", "positive")
    rule = SMALL[SMALL.index("[[substance]]") :].replace("negative", "positive").replace('name = "TNT"', 'name = "+"')
    library = load_library(write(tmp_path, SMALL + mode + line + rule))
    assert library.rules.required.tolist() == [[True, False], [False, True]]


def test_a_line_of_a_mode_that_is_not_described_or_that_nobody_uses_is_a_mistake(tmp_path: Path) -> None:
    line = SMALL[SMALL.index("[[line]]") : SMALL.index("[[substance]]")]
    unused = SMALL + line.replace('name = "TNT"', 'name = "RDX"')
    assert mistakes(tmp_path, unused) == [
        '34:1  line[1].name = "RDX": no substance uses it; what is harmless is an [[interferent]]'
    ]
    assert load_library(write(tmp_path, unused.replace('[[line]]\nname = "RDX"', '[[interferent]]\nname = "RDX"'))).lines[1].interferent  # fmt: skip
    assert mistakes(tmp_path, unused.replace('"RDX"\nmode = "negative"', '"RDX"\nmode = "positive"')) == [
        '35:1  line[1].mode = "positive": the library has no [[mode]] of that name'
    ]


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    wrong = SMALL.replace("snr = 6.0", "snr = 1.0").replace("window = 0.004", "window = 1").replace("= 150", "= -1")
    assert [line.split("  ")[0] for line in mistakes(tmp_path, wrong)] == ["9:1", "24:1", "32:1"]


@pytest.mark.parametrize("text", ["", "name = ", "[[mode]", "\x00", 'name = "a"\nname = "b"\n'])
def test_what_is_no_library_is_refused(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match=r"nowhere\.toml:1:1  no such file$"):
        load_library(tmp_path / "nowhere.toml")


def test_every_key_of_the_model_is_in_the_file_that_ships() -> None:
    """The shipped file is what a site copies: it must show what there is."""
    values = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    assert set(values) == set(LibraryFile.model_fields)
    shown = {name: set().union(*values[name]) for name in ("mode", "line", "interferent", "substance")}
    assert shown["mode"] == {"name", "pair_tolerance", "calibrant", "reactant"}
    assert shown["line"] == shown["interferent"] == {"name", "mode", "k0", "window", "source", "confidence"}
    assert {"name", "group", "mode", "required", "any_of", "threshold", "interferents"} <= shown["substance"]
