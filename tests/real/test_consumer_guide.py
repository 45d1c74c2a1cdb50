"""docs/guides/connect-a-consumer.md, followed to the letter: only the port of the broker differs."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from devicehub.clock import Clock
from devicehub.model.receipt import Receipt
from tests.guides import Block, blocks
from tests.patience import PATIENCE
from tests.real.hub_process import ROOT
from tests.real.mosquitto import free_port

pytestmark = pytest.mark.real

GUIDE = ROOT / "docs" / "guides" / "connect-a-consumer.md"
"""What its blocks are: `runs`, `ends`, `waits=TEXT`, `shows=TEXT`, `file=NAME` or nothing."""
PORT = "18830"
_SHOWN = ("ini",)


class Reader:
    """Follows the guide in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = str(free_port())
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.environment = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"} | {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
        }
        (folder / "bin").mkdir()
        for name, words in (("devicehub", "-m devicehub"), ("python3", "")):
            (folder / "bin" / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
            (folder / "bin" / name).chmod(0o700)

    async def follow(self, block: Block) -> None:
        word, rest = block.word, block.rest
        text = block.text.replace(PORT, self.port)
        if word == "file":
            (self.folder / rest).write_text(text)
        elif block.kind in _SHOWN:
            assert not word
        elif word == "runs":
            self.running[text.strip()] = await self.start(text)
        elif word == "ends":
            await self.end(text.strip())
        elif word == "waits":
            await self.wait(text, rest)
        else:
            assert block.kind == "sh", block
            done = await asyncio.to_thread(self.shell, text)
            said = f"{text}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == 0, said
            assert rest in said, said

    async def start(self, line: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", *shlex.split(line), cwd=self.folder, env=self.environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def end(self, begins: str) -> None:
        (line,) = [line for line in self.running if line.startswith(begins)]
        process = self.running.pop(line)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    async def wait(self, line: str, text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in (await asyncio.to_thread(self.shell, line)).stdout:
                await Clock().sleep(0.2)

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-ec", line],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE * 2, check=False,
        )  # fmt: skip

    async def close(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            await process.wait()


@asynccontextmanager
async def reader(folder: Path) -> AsyncIterator[Reader]:
    one = Reader(folder)
    try:
        yield one
    finally:
        await one.close()


async def test_the_guide_can_be_followed_step_by_step(tmp_path: Path) -> None:
    async with reader(tmp_path) as one:
        for block in blocks(GUIDE):
            await one.follow(block)


def test_the_guide_has_every_kind_of_step() -> None:
    assert {block.word for block in blocks(GUIDE)} == {"", "file", "runs", "ends", "waits", "shows"}


def test_the_receipt_of_the_guide_is_one() -> None:
    (text,) = re.findall(r'^ *(\{"epoch".*\})$', GUIDE.read_text(), re.MULTILINE)
    assert msgspec.json.decode(text, type=Receipt).received
