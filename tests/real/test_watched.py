"""`devicehub run` as a service manager and a scraper see it."""

import asyncio
import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.hub_process import started

pytestmark = pytest.mark.real

CONFIG = """
[hub]
site = "s"
node = "n"
exercise = true
[metrics]
enabled = true
port = 0
[[device]]
id = "voc-1"
driver = "trace.aci_pids3"
port = "sim:"
"""


@contextmanager
def manager(folder: Path) -> Iterator[socket.socket]:
    """Where a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind(str(folder / "notify"))
        yield listening


async def heard(listening: socket.socket, word: str, seconds: float = 30.0) -> list[str]:
    """What it is told until that word has come."""
    words: list[str] = []
    async with asyncio.timeout(seconds):
        while word not in words:
            words += (await asyncio.get_running_loop().sock_recv(listening, 4096)).decode().split("\n")
    return words


def asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def test_a_service_manager_hears_ready_the_watchdog_and_stopping_and_a_scraper_gets_the_figures(
    tmp_path: Path,
) -> None:
    (tmp_path / "devicehub.toml").write_text(CONFIG)
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "STATE_DIRECTORY": str(tmp_path / "state")}
    with manager(tmp_path) as listening:
        async with started("run", cwd=tmp_path, environment=environment) as hub:
            assert (await heard(listening, "READY=1"))[0] == "READY=1"
            await heard(listening, "WATCHDOG=1")
            address = (tmp_path / "state" / "metrics-address").read_text().strip()
            assert await asyncio.to_thread(asked, f"{address}/livez") == (200, "ok\n")
            code, text = await asyncio.to_thread(asked, f"{address}/metrics")
            assert code == 200
            assert "devicehub_alarm_path_alive 1\n" in text
            assert 'devicehub_device_up{device="voc-1"}' in text
            assert (await asyncio.to_thread(asked, f"{address}/readyz"))[1].startswith(
                "ok   alarm-path\nok   journal\n"
            )
            assert await hub.ends(signal.SIGTERM) == 0
            await heard(listening, "STOPPING=1")
            lines = [json.loads(line) for line in hub.errors if line.startswith("{")]
    assert {line["device"] for line in lines if "device voc-1 is" in line["message"]} == {"voc-1"}
    assert not (tmp_path / "state" / "metrics-address").exists()


async def test_a_hub_that_hangs_is_not_heard_of(tmp_path: Path) -> None:
    """A process that is stopped feeds nothing; one that goes on does again."""
    (tmp_path / "devicehub.toml").write_text(CONFIG)
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "STATE_DIRECTORY": str(tmp_path / "state")}
    with manager(tmp_path) as listening:
        async with started("run", cwd=tmp_path, environment=environment) as hub:
            await heard(listening, "READY=1")
            hub.freeze()
            with pytest.raises(TimeoutError):
                await heard(listening, "never", 3)
            hub.thaw()
            await heard(listening, "WATCHDOG=1", 5)
