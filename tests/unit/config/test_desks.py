"""Desks in the configuration: what they may name, and every mistake with its place."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.diff import diff
from devicehub.model.inspection import InspectionDesk

HUB = '[hub]\nsite = "s"\nnode = "n"\nexercise = true\n'
DEVICES = "".join(f'[[device]]\nid = "{name}"\ndriver = "scanner.hid_pos"\nport = "sim:"\n' for name in ("one", "two"))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + DEVICES + text)
    return path


def test_a_desk_is_what_the_hub_goes_by(tmp_path: Path) -> None:
    text = '[[desk]]\nid = "d"\ndevices = ["one"]\nscans = ["document"]\nbuttons = ["sample"]\ntimeout_s = 20.0\n'
    (desk,) = load_config(written(tmp_path, text)).desk
    assert desk.desk() == InspectionDesk("d", ("one",), 20.0, scans=("document",), buttons=("sample",))


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[[desk]]\nid = "d"\ndevices = ["on"]\n', "desk[0].devices = \"on\": no such device; did you mean 'one'?"),
        ('[[desk]]\nid = "d"\ndevices = ["one", "one"]\n', "it belongs to desk 'd' already"),
        ('[[desk]]\nid = "d"\ndevices = ["one"]\n[[desk]]\nid = "d"\ndevices = ["two"]\n', "has that name"),
        ('[[desk]]\nid = "d"\ndevices = []\n', "desk[0].devices"),
        (
            '[[desk]]\nid = "d"\ndevices = ["one"]\nscans = ["passport"]\n',
            "must be 'document', 'parcel', 'product' or 'text'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_config(written(tmp_path, text))
    assert mistake in str(caught.value)
    assert "devicehub.toml:1" in str(caught.value)


def test_other_desks_and_other_requirements_take_no_restart(tmp_path: Path) -> None:
    old = load_config(written(tmp_path, ""))
    new = load_config(written(tmp_path, '[lane]\nrequires = ["barcode"]\n[[desk]]\nid = "d"\ndevices = ["one"]\n'))
    assert (diff(old, new).restart, set(diff(old, new).live)) == ((), {"desk", "lane.requires"})
