"""`devicehub mqtt clean`: a station that is gone for good is forgotten by its broker, and one that runs is not."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from devicehub.cli.exits import Exit
from devicehub.cli.mqtt_clean import cleaned
from devicehub.model.message import Kind
from devicehub.publish.topics import Topics
from tests.real.hearing import hearing
from tests.real.hub_process import started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.test_cli import devicehub, one_line

pytestmark = pytest.mark.real

STATION = """\
[hub]
site = "s"
node = "{node}"
exercise = true
state = "state-{node}"

[mqtt]
url = "mqtt://127.0.0.1:{port}"

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"
"""


async def test_what_a_hub_that_ended_left_is_named_and_removed_and_nothing_of_others(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        for node in ("old", "new"):
            (tmp_path / "devicehub.toml").write_text(STATION.format(node=node, port=broker.port))
            async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
                await ears.first(Kind.EVENT, "device-ready")
                busy = await asyncio.to_thread(devicehub, "mqtt", "clean", cwd=tmp_path)
                assert busy.returncode == Exit.RETRY
                assert "is online" in one_line(busy)
                assert await hub.ends(signal.SIGTERM) == 0
        gone = ("--node", "s/old", "--exercise", "--json")
        shown = await asyncio.to_thread(devicehub, "mqtt", "clean", "--dry-run", *gone, cwd=tmp_path)
        removed = await asyncio.to_thread(devicehub, "mqtt", "clean", *gone, cwd=tmp_path)
        topics = json.loads(shown.stdout)["topics"]
        assert {"devicehub-sim/v1/s/old/status", "devicehub-sim/v1/s/old/device/gamma-1"} <= set(topics)
        assert json.loads(removed.stdout) == {"removed": True, "topics": topics}
        old, new = (Topics("s", node, exercise=True) for node in ("old", "new"))
        assert await cleaned(settings(broker), old, dry_run=True) == []
        assert new.status in await cleaned(settings(broker), new, dry_run=True)
