"""What is to be done upon an alarm: what is refused, which steps are whose, and that they are part of the rules."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.diff import diff
from devicehub.config.rulebook import rulebook
from devicehub.config.rules import rules_digest

HUB = (
    '[hub]\nsite = "s"\nnode = "n"\nexercise = true\n'
    '[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\nport = "sim:"\n'
    '[[limit]]\ndevice = "gamma-1"\nchannel = "dose-rate"\nhigh = 0.5\n'
)
RESPONSE = '[[response]]\npoints = ["gamma-1/dose-rate-high"]\nen = ["Stop.", "Step back."]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "hub.toml"
    path.write_text(HUB + text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[response]]\nen = ["Stop."]\n', "response[0]: needs points or a category that it is for"),
        (RESPONSE.replace("gamma-1/", "gama-1/"), "no such device; did you mean 'gamma-1'?"),
        (RESPONSE + 'sq = ["Ndalo."]\n', "response[0].sq: has 1 steps, and en has 2"),
        (RESPONSE + RESPONSE, "another [[response]] is for that"),
        ('[[response]]\ncategory = "threat"\n', "response[0].en"),
        ('[[response]]\ncategory = "danger"\nen = ["Stop."]\n', "response[0].category"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigProblems) as problems:
        load_config(written(tmp_path, text))
    assert told in str(problems.value)


def test_the_book_has_points_and_steps_by_language(tmp_path: Path) -> None:
    text = RESPONSE + 'sr_latn = ["Stanite.", "Odmaknite se."]\n[[response]]\ncategory = "device"\nen = ["Look."]\n'
    book = rulebook(load_config(written(tmp_path, text)), {})
    (point,) = book.points
    assert (point.device, point.point, point.condition, point.limit) == ("gamma-1", "dose-rate-high", "high", 0.5)
    own, other = book.responses
    assert own.places == ("gamma-1/dose-rate-high",)
    assert own.steps == {"en": ("Stop.", "Step back."), "sr-Latn": ("Stanite.", "Odmaknite se.")}
    assert (other.places, book.file) == (("category:device",), "")


def test_steps_are_part_of_the_rules_and_rules_without_any_are_what_they_were(tmp_path: Path) -> None:
    without = load_config(written(tmp_path, ""))
    steps = load_config(written(tmp_path, RESPONSE))
    assert rules_digest(without) != rules_digest(steps)
    assert rules_digest(without) == "sha256:adf88f0779652363007ab40397368824393de3b506836358d0e2e19c107ce21b"
    assert diff(without, steps).live == ("response",)
