"""`devicehub` as a child process, as an operator starts it."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from devicehub.clock import Clock
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


class HubProcess:
    """A running child. `errors` grows with what it says on standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.errors: list[str] = []
        self._said = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def says(self, words: str, seconds: float = PATIENCE) -> str:
        """The first line on standard error that has these words in it."""
        async with asyncio.timeout(seconds):
            while not (found := next((line for line in self.errors if words in line), "")):
                assert not self._reading.done(), self.errors
                self._said.clear()
                await self._said.wait()
        return found

    async def ends(self, sign: signal.Signals | None = None, seconds: float = PATIENCE) -> int:
        """Send a signal, if any; its exit code."""
        if sign is not None:
            self._process.send_signal(sign)
        async with asyncio.timeout(seconds):
            code = await self._process.wait()
            await self._reading
        return code

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def _read(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self.errors.append(line.decode().rstrip())
            self._said.set()
        self._said.set()

    async def close(self) -> None:
        """Kill it if it lives."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def started(
    *words: str, cwd: Path, environment: Mapping[str, str] | None = None, program: Sequence[str] = ("-m", "devicehub")
) -> AsyncIterator[HubProcess]:
    """`devicehub WORDS` while the context is open; it is killed at the end at the latest."""
    kept = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        *words,
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    hub = HubProcess(process)
    try:
        yield hub
    finally:
        await hub.close()
        print(*hub.errors, sep="\n")  # pytest shows it when the test fails


def journal_facts(path: Path) -> dict[str, int]:
    """The journal's own counters: what is in it, what was delivered, whether somebody has it open."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        return dict(journal.execute("SELECT name, value FROM meta WHERE typeof(value) = 'integer'"))


async def until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until `what()` is true of files or processes, which tell nobody when they change."""
    async with asyncio.timeout(seconds):
        while not what():
            await Clock().sleep(0.02)
