"""The consumer that is judged: a command that runs in the foreground and can be killed at any moment."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from devicehub.consume.conformance.broken import Broken
from devicehub.consume.heard import Heard, recalled
from devicehub.model.errors import ProtocolError

ENDING: Final = 10.0
LISTING: Final = 60.0


class Process:
    """`command` starts the consumer; `stored`, if any, is a shell command that prints what it has stored."""

    def __init__(self, command: Sequence[str], stored: str = "") -> None:
        self._command = command
        self._stored = stored
        self._process: asyncio.subprocess.Process | None = None

    @property
    def shows(self) -> bool:
        """Whether it can be asked what is stored."""
        return bool(self._stored)

    async def start(self) -> None:
        """Start it, in a process group of its own. Raises `Broken`."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise Broken(f"{self._command[0]} cannot be started: {error.strerror}") from None

    async def kill(self) -> None:
        """End it as a crash does, with everything that it has started."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it in order. Raises `Broken` where it takes longer than 10 s."""
        try:
            async with asyncio.timeout(ENDING):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self.kill()
            raise Broken(f"it did not end within {ENDING:g} s of SIGTERM") from None

    async def ended(self) -> None:
        """Wait until it has ended, for ever where none runs."""
        if self._process is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self._process.wait()

    def check(self) -> None:
        """Raises `Broken` if it has ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            raise Broken(f"it ended by itself with code {self._process.returncode}")

    async def stored(self) -> list[Heard]:
        """What it has stored, in its order. Raises `Broken` for a line that is no message."""
        process = await asyncio.create_subprocess_shell(
            self._stored, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(LISTING):
            output, _ = await process.communicate()
        if process.returncode:
            raise Broken(f"'{self._stored}' ended with code {process.returncode}")
        return [_message(line) for line in output.splitlines() if line.strip()]

    async def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, sign)
        await self._process.wait()
        self._process = None


def _message(line: bytes) -> Heard:
    try:
        heard = recalled(line)
    except ProtocolError as error:
        raise Broken(f"what is stored has a line that is no message: {error}") from None
    if heard is None:
        raise Broken("what is stored has a message without a number")
    return heard
