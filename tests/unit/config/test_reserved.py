"""Names that the hub itself goes by in topics: no device may have them."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.model.stream import Stream

HEAD = '[hub]\nsite = "s"\nnode = "n"\n'


def configured(folder: Path, name: str) -> Path:
    path = folder / "devicehub.toml"
    path.write_text(f'{HEAD}[[device]]\nid = "{name}"\ndriver = "radiation.atom_fast"\n')
    return path


@pytest.mark.parametrize("name", ["hub", "alarms", "events", "scans"])
def test_a_device_of_a_reserved_name_is_refused_at_its_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        load_config(configured(tmp_path, name))
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (5, 1)
    assert problem.text == f'device[0].id = "{name}": the hub itself goes by that name in topics; choose another one'


@pytest.mark.parametrize("name", [stream.value for stream in Stream])
def test_every_stream_is_reserved(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigProblems):
        load_config(configured(tmp_path, name))


@pytest.mark.parametrize("name", ["hub-1", "alarm", "event"])
def test_a_name_that_only_looks_like_one_is_free(tmp_path: Path, name: str) -> None:
    assert load_config(configured(tmp_path, name)).device[0].id == name
