"""The unit that ships is hardened, and each line that makes it so counts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.hub_process import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"),
]

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


def test_it_waits_for_the_hub_to_be_ready_and_restarts_one_whose_alarm_path_is_broken() -> None:
    lines = UNIT.read_text().splitlines()
    assert {"Type=notify", "WatchdogSec=30", "Restart=always"} <= set(lines)


def test_systemd_understands_every_line_of_it(tmp_path: Path) -> None:
    """Only that the program is not installed here may be found."""
    present = tmp_path / UNIT.name
    present.write_text(UNIT.read_text().replace("/usr/bin/devicehub", "/bin/sh"))
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
