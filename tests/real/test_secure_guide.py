"""docs/guides/secure-a-station.md, followed to the letter: only the folder of the broker, its account and its port differ."""

import asyncio
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.guides import Block, blocks
from tests.patience import PATIENCE
from tests.programs import needed
from tests.real.access_world import ROOT
from tests.real.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "secure-a-station.md"
"""What its blocks are: `centre`, `runs`, `fails=TEXT`, `silent`, `shows=TEXT`, `file=NAME` or nothing."""
ACCOUNT = pwd.getpwuid(os.geteuid()).pw_name


@dataclass
class Computer:
    """One with a broker: what the guide calls /etc/mosquitto is `etc`."""

    etc: Path
    port: int = field(default_factory=free_port)
    broker: Mosquitto | None = None

    def __post_init__(self) -> None:
        (self.etc / "conf.d").mkdir(parents=True)
        (self.etc / "lib").mkdir()


class Station:
    """Follows the guide in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.computers = {name: Computer(folder / f"etc-{name}") for name in ("station", "centre")}
        self.hub: asyncio.subprocess.Process | None = None
        (folder / "locked-away").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "devicehub").write_text(f'#!/bin/sh\nexec {sys.executable} -m devicehub "$@"\n')
        (folder / "bin" / "devicehub").chmod(0o700)
        shutil.copytree(ROOT / "config", folder / "config")

    async def follow(self, block: Block) -> None:
        word, rest = block.word, block.rest
        if word == "file":
            (self.folder / rest).write_text(self.localised(block.text))
        elif word == "runs":
            await self.run_hub(block.text)
        elif block.kind == "sh":
            for line in block.text.splitlines():
                await self.command(line, self.computers["centre" if word == "centre" else "station"], word, rest)
        else:
            raise AssertionError(f"the guide has a block that nobody follows: {block}")

    def localised(self, text: str) -> str:
        """Both brokers are on this computer, each at a port of its own."""
        for host, name in (("broker.bcp-south.example", "station"), ("centre.example", "centre")):
            text = text.replace(f"{host}:8883", f"localhost:{self.computers[name].port}")
        return text

    async def command(self, line: str, computer: Computer, word: str, rest: str) -> None:
        if "systemctl" in line:
            await self.control(computer, line.split()[-2])
            return
        line = line.replace("/etc/mosquitto", str(computer.etc)).replace("sudo ", "")
        line = line.replace("-o mosquitto", f"-o {ACCOUNT}")
        done = await asyncio.to_thread(self.shell, line)
        said = f"{line}\n{done.stdout}\n{done.stderr}"
        assert (done.returncode == 0) == (word != "fails"), said
        if word in ("shows", "fails"):
            assert rest in done.stdout + done.stderr, said
        if word == "silent":
            assert done.stdout == "", said

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            ["/bin/sh", "-ec", line],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    async def control(self, computer: Computer, verb: str) -> None:
        """What `systemctl` does with Mosquitto."""
        if verb == "reload":
            assert computer.broker is not None
            computer.broker.reload()
            return
        if computer.broker is not None:
            await computer.broker.stop()
        for file in (computer.etc / "mosquitto.conf", *(computer.etc / "conf.d").iterdir()):
            file.write_text(self.located(file.read_text(), computer))
        computer.broker = Mosquitto(computer.etc / "mosquitto.conf", computer.port)
        await computer.broker.start()

    def located(self, text: str, computer: Computer) -> str:
        text = self.localised(text).replace("/etc/mosquitto/", f"{computer.etc}/")
        text = text.replace("/var/lib/mosquitto/", f"{computer.etc / 'lib'}/")
        text = text.replace("listener 8883\n", f"listener {computer.port} 127.0.0.1\n")
        return text.replace("user mosquitto\n", f"user {ACCOUNT}\n")

    async def run_hub(self, line: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.hub = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *shlex.split(line), cwd=self.folder, env=environment, stderr=asyncio.subprocess.PIPE
        )
        assert self.hub.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while b"will publish below devicehub/v1/bcp-south/lane1/" not in (said := await self.hub.stderr.readline()):
                assert said, "the hub ended"

    async def close(self) -> None:
        if self.hub is not None and self.hub.returncode is None:
            self.hub.terminate()
            await self.hub.communicate()
        for computer in self.computers.values():
            if computer.broker is not None:
                await computer.broker.stop()


@asynccontextmanager
async def station(folder: Path) -> AsyncIterator[Station]:
    for program in ("openssl", "mosquitto"):
        needed(program)
    one = Station(folder)
    try:
        yield one
    finally:
        await one.close()


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    async with station(tmp_path) as one:
        for block in blocks(GUIDE):
            await one.follow(block)
    assert not (tmp_path / "station-tls" / "authority.key").exists()
    assert (tmp_path / "station-tls" / "lane3.pem").exists()


def test_the_guide_has_every_kind_of_step() -> None:
    assert {block.word for block in blocks(GUIDE)} == {*("", "file", "runs", "shows", "silent", "fails", "centre")}


def test_the_roles_of_the_guide_are_those_of_the_access_list() -> None:
    listed = re.findall(r"^user (\S+)$", (ROOT / "config/broker/station.acl").read_text(), re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.MULTILINE) == listed
