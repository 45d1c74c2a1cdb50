"""A guide on one station, followed to the letter in an empty folder: `file=NAME`, `runs`, `shows=TEXT`, `fails=CODE`."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.guides import Block, blocks
from tests.patience import PATIENCE
from tests.real.hub_process import ROOT, HubProcess, started


class Reader:
    """Does what a guide says. `local`: what a file or command of the guide is on this computer."""

    def __init__(self, folder: Path, local: Callable[[str], str] = str) -> None:
        self.folder = folder
        self._local = local
        (folder / "bin").mkdir()
        program = folder / "bin" / "devicehub"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m devicehub "$@"\n')
        program.chmod(0o700)
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
        }

    async def follow(self, guide: Path) -> None:
        """Block by block; a hub that a block runs is there for those that follow it."""
        await self._follow(blocks(guide))

    async def _follow(self, steps: list[Block]) -> None:
        for number, block in enumerate(steps):
            if block.word == "runs":
                words = shlex.split(self._local(block.text))
                assert words[0] == "devicehub"
                async with started(*words[1:], cwd=self.folder, environment=self.environment) as hub:
                    await hub.says("will publish below")
                    await self._settled(hub)
                    await self._follow(steps[number + 1 :])
                    assert await hub.ends(signal.SIGTERM) == 0
                return
            await self._step(block)

    async def _settled(self, hub: HubProcess) -> None:
        await hub.says("the alarm path works")

    async def _step(self, block: Block) -> None:
        if block.word == "file":
            (self.folder / block.rest).write_text(self._local(block.text), encoding="utf-8")
        elif block.kind == "sh":
            for line in block.text.splitlines():
                await self._command(line, block)
        else:
            assert block.word == "prints", f"the guide has a block that nobody follows: {block}"

    async def _command(self, line: str, block: Block) -> None:
        done = await asyncio.to_thread(self.shell, self._local(line))
        said = f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == (int(block.rest) if block.word == "fails" else 0), said
        if block.word == "shows":
            assert block.rest in done.stdout + done.stderr, said

    def shell(self, line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", "-ec", line],
            cwd=self.folder, env=os.environ | self.environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
