"""`devicehub devices identify`: what the hub answers, and what is said where nobody does."""

import asyncio
import json
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.real.hearing import hearing
from tests.real.hub_process import started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.test_cli import devicehub, one_line
from tests.real.workstation import workstation

pytestmark = pytest.mark.real


async def test_a_device_that_cannot_show_itself_is_told_by_what_is_known_of_it(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        workstation(tmp_path, broker),
        hearing(settings(broker)) as ears,
        started("run", cwd=tmp_path),
    ):
        await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
        done = await asyncio.to_thread(devicehub, "devices", "identify", "vapour-1", "--json", cwd=tmp_path)
        told = json.loads(done.stdout)
        assert (done.returncode, told["device"], told["shown"]) == (0, "vapour-1", False)
        assert told["driver"] == "trace.aci_pids3"
        assert told["where"] == str(tmp_path / "tty1")
        wrong = await asyncio.to_thread(devicehub, "devices", "identify", "vapour-9", cwd=tmp_path)
        assert wrong.returncode == 1
        assert "no device 'vapour-9' is configured" in one_line(wrong)


async def test_without_a_hub_nobody_answers(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        (tmp_path / "devicehub.toml").write_text(
            f'[hub]\nsite = "s"\nnode = "n"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
        )
        done = await asyncio.to_thread(devicehub, "devices", "identify", "vapour-1", cwd=tmp_path)
        assert done.returncode == 69
        assert "did not answer" in one_line(done)
