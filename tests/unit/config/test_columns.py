"""`[device.csv]`: the columns of a vendor's files, checked where they stand."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config
from devicehub.config.fitted import fitted
from devicehub.model.units import Unit
from devicehub.registry import load_driver

BEGIN = """[hub]
site = "s"
node = "n"
[[device]]
id = "d"
driver = "screening.vendor_csv"
folder = "in"
"""
CSV = """[device.csv]
{keys}
[[device.csv.column]]
column = "Dose"
channel = "dose"
unit = "uSv/h"
"""
LIMIT = '[[limit]]\ndevice = "d"\nchannel = "{channel}"\nhigh = 1.0\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "hub.toml"
    path.write_text(BEGIN + text)
    return path


def told(folder: Path, text: str) -> str:
    with pytest.raises(ConfigProblems) as caught:
        load_config(written(folder, text))
    return "\n".join(str(one) for one in caught.value.problems)


def test_the_columns_are_the_channels_of_the_device_and_limits_hold_on_them(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, CSV.format(keys='delimiter = ";"') + LIMIT.format(channel="dose")))
    driver = fitted(load_driver("screening.vendor_csv"), config.device[0])
    assert [(one.name, one.unit, one.title) for one in driver.channels] == [
        ("dose", Unit.MICROSIEVERT_PER_HOUR, "Dose")
    ]
    assert driver.name == "screening.vendor_csv"


def test_a_limit_on_a_channel_that_no_column_gives_is_a_mistake(tmp_path: Path) -> None:
    assert "reading" in told(tmp_path, CSV.format(keys="") + LIMIT.format(channel="reading"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('delimiter = ",,"', "delimiter"),
        ('decimal = ","', "must not be a quotation mark, a line end or the decimal"),
        ('encoding = "morse"', "encoding"),
        ("header = false", "a column is a number from 1, not 'Dose'"),
        ('colum = "x"', "colum"),
        ('time = { columns = ["a"], format = "%Q" }', "format"),
        ('time = { columns = ["a"], format = "%d.%m. %H:%M" }', "format: year, month and day must all be in it"),
        ('time = { columns = ["a"], format = "%H:%M" }', "format: year, month and day must all be in it"),
        ('time = { columns = ["a"], format = "%Y-%m-%d", zone = "Mars" }', "neither UTC, an offset"),
        ('verdict = { column = "a" }', "must name a word"),
        ('verdict = { column = "a", clear = ["OK"], alarm = ["ok"] }', "names 'ok' twice"),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, keys: str, words: str) -> None:
    text = told(tmp_path, CSV.format(keys=keys))
    assert words in text
    assert "hub.toml:" in text


def test_two_columns_are_not_one_channel(tmp_path: Path) -> None:
    again = '[[device.csv.column]]\ncolumn = "b"\nchannel = "dose"\n'
    assert "two columns have one channel" in told(tmp_path, CSV.format(keys="") + again)


def test_a_driver_of_other_files_has_no_columns(tmp_path: Path) -> None:
    path = written(tmp_path, CSV.format(keys=""))
    path.write_text(path.read_text().replace("screening.vendor_csv", "radiation.n42"))
    with pytest.raises(ConfigProblems, match="reads no CSV files"):
        load_config(path)
