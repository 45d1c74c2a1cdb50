"""Four browsers, whether they read or not: alarms do not wait for them, and the hub ends in time, its journal closed."""

import asyncio
import json
import signal
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from devicehub.clock import Clock
from devicehub.publish.mqtt import subscribe
from devicehub.publish.settings import BrokerSettings
from tests.page.browsing import HUB
from tests.page.test_alarm_by_keyboard import HOT
from tests.real.hub_process import journal_facts, started
from tests.real.mosquitto import mosquitto

pytestmark = [pytest.mark.real, pytest.mark.alone]

PATHS = ("/ws/news", "/ws/images/thermal-1?rate=25", "/ws/raw/thermal-1", "/ws/news")
LATE = 2.0


def _time(payload: bytes) -> float:
    return datetime.fromisoformat(json.loads(payload)["time"]).timestamp()


async def _dropped(socket: ClientConnection) -> None:
    socket.transport.abort()
    await socket.wait_closed()


async def _read(socket: ClientConnection) -> int:
    """How much came until it was closed."""
    count = 0
    with suppress(ConnectionClosed):
        async for _ in socket:
            count += 1
    return count


@pytest.mark.parametrize("stalled", [True, False], ids=["stalled", "reading"])
async def test_four_browsers_delay_no_alarm_and_keep_the_hub_from_nothing(tmp_path: Path, *, stalled: bool) -> None:
    clock, reading = Clock(), list[asyncio.Task[int]]()
    async with mosquitto(tmp_path) as broker:
        file = tmp_path / "hub.toml"
        file.write_text(f'{HUB}{HOT}[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n')
        async with AsyncExitStack() as stack, started("run", "--config", str(file), cwd=tmp_path) as hub:
            address = urlsplit((await hub.says("page: ", 60)).partition("page: ")[2])
            cookie = f"devicehub={address.query.partition('=')[2]}"
            for path in PATHS:
                socket = await connect(
                    f"ws://{address.netloc}{path}",
                    additional_headers={"Cookie": cookie},
                    origin=f"http://{address.netloc}",  # type: ignore[arg-type]
                    compression=None,
                )
                if stalled:
                    socket.transport.pause_reading()
                else:
                    reading.append(asyncio.create_task(_read(socket)))
                stack.push_async_callback(_dropped, socket)
            settings = BrokerSettings(host=broker.host, port=broker.port)
            async with subscribe(settings, ["devicehub-sim/v1/bcp-north/lane-1/event/alarm-raised"]) as events:
                raised = await anext(events)
                assert clock.utc() - _time(raised.payload) < LATE
            began = clock.monotonic()
            assert await hub.ends(signal.SIGTERM) == 0
            assert clock.monotonic() - began < LATE
            assert all(count > 0 for count in await asyncio.gather(*reading))
            assert [line for line in hub.errors if '"level": "error"' in line] == []
    assert journal_facts(tmp_path / "state" / "journal.sqlite")["running"] == 0
