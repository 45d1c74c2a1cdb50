"""The unit that ships is hardened, and each line that makes it so counts."""

import subprocess
from pathlib import Path

import pytest

from tests.guides import blocks
from tests.real.hub_process import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.needs("systemd-analyze"),
]

GUIDE = ROOT / "docs" / "guides" / "install-a-workstation.md"
UNIT = ROOT / "packaging" / "system" / "devicehub.service"
MOST = 2.0


def exposure(unit: Path) -> float:
    """As `systemd-analyze security` judges a file: 0 is none, 10 all there is."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (line,) = [line for line in said.splitlines() if "Overall exposure level" in line]
    return float(line.partition(": ")[2].split()[0])


def test_its_exposure_is_at_most_2() -> None:
    assert exposure(UNIT) <= MOST


@pytest.mark.parametrize(
    "line", ["User=devicehub", "CapabilityBoundingSet=", "SystemCallFilter=@system-service", "DevicePolicy=closed"]
)
def test_without_one_of_its_lines_it_is_more(line: str, tmp_path: Path) -> None:
    kept = [one for one in UNIT.read_text().splitlines() if one != line]
    weaker = tmp_path / UNIT.name
    weaker.write_text("\n".join(kept))
    assert len(kept) < len(UNIT.read_text().splitlines())
    assert exposure(weaker) > exposure(UNIT)


def with_drop_ins(folder: Path) -> Path:
    """The unit, and all that the guide lets a site add to it."""
    added = [block.text for block in blocks(GUIDE) if block.kind == "ini"]
    assert len(added) == 2
    unit = folder / UNIT.name
    unit.write_text("\n".join([UNIT.read_text(), *added]))
    return unit


def test_with_all_that_the_guide_lets_a_site_add_its_exposure_is_at_most_2(tmp_path: Path) -> None:
    assert exposure(with_drop_ins(tmp_path)) <= MOST


def test_sound_takes_its_drop_in(tmp_path: Path) -> None:
    """What the guide says is missing is missing, and what it adds is what an ALSA player opens."""
    assert "char-alsa" not in UNIT.read_text()
    assert "DeviceAllow=char-alsa rw" in with_drop_ins(tmp_path).read_text()


def test_it_waits_for_the_hub_to_be_ready_and_restarts_one_whose_alarm_path_is_broken() -> None:
    lines = UNIT.read_text().splitlines()
    assert {"Type=notify", "WatchdogSec=30", "Restart=always"} <= set(lines)


def test_systemd_understands_every_line_of_it(tmp_path: Path) -> None:
    """Only that the program is not installed here may be found."""
    present = with_drop_ins(tmp_path)
    present.write_text(present.read_text().replace("/usr/bin/devicehub", "/bin/sh"))
    said = subprocess.run(
        ["systemd-analyze", "verify", str(present)], capture_output=True, text=True, check=False
    ).stderr
    assert [line for line in said.splitlines() if UNIT.name in line and "not found" not in line] == []


def test_the_credentials_it_loads_are_those_that_the_configuration_names() -> None:
    text = (ROOT / "config" / "devicehub.toml").read_text()
    named = {
        line.split('"')[1]
        for line in text.splitlines()
        if "{ credential = " in line and '"' in line and "..." not in line
    }
    loaded = {
        line.removeprefix("LoadCredential=").partition(":")[0]
        for line in UNIT.read_text().splitlines()
        if line.startswith("LoadCredential=")
    }
    assert named == loaded
