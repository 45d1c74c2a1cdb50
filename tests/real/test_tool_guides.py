"""The guides of the tools, followed to the letter; only ports differ, since others of these tests run meanwhile."""

from pathlib import Path

import pytest

from tests.programs import needed
from tests.real.followed import Reader
from tests.real.hub_process import ROOT
from tests.real.mosquitto import free_port

pytestmark = pytest.mark.real

GUIDES = ROOT / "docs" / "guides"


async def test_how_a_device_is_plugged_in(tmp_path: Path) -> None:
    await Reader(tmp_path).follow(GUIDES / "plug-in-a-device.md")


async def test_how_what_is_wrong_is_found(tmp_path: Path) -> None:
    await Reader(tmp_path).follow(GUIDES / "find-what-is-wrong.md")


async def test_how_a_station_is_monitored(tmp_path: Path) -> None:
    needed("curl")
    port = str(free_port())
    reader = Reader(
        tmp_path, lambda text: text.replace("9480", port).replace("[metrics]\n", f"[metrics]\nport = {port}\n")
    )
    await reader.follow(GUIDES / "monitor-a-station.md")
