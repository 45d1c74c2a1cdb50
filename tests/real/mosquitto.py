"""A private Mosquitto on loopback for tests: `async with mosquitto(tmp_path) as broker`."""

import asyncio
import hashlib
import os
import pwd
import secrets
import signal
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from devicehub.clock import Clock
from tests.patience import PATIENCE
from tests.programs import needed

_LOWEST, _END, _WORKERS = 20_000, 32_000, 16
_RUNNING = b" running\n"
"""Mosquitto says so once it has bound its port."""


class Mosquitto:
    """A broker process. `restart` keeps port, files and, with `persistence`, what it stored."""

    host = "127.0.0.1"

    def __init__(self, config: Path, port: int) -> None:
        self.port = port
        self._config = config
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it accepts connections."""
        path = self._config.parent / "mosquitto.log"
        with path.open("ab") as log:
            earlier = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                needed("mosquitto"), "-c", str(self._config), stdout=log, stderr=log
            )
        async with asyncio.timeout(PATIENCE):
            # Its own word first: on a port that was taken meanwhile, the broker of another test would answer.
            while _RUNNING not in path.read_bytes()[earlier:] or not await self._accepts():
                assert self._process.returncode is None, path.read_text()
                await Clock().sleep(0.01)

    async def stop(self) -> None:
        """End it in an orderly way; it saves what it has to."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a crash does."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Start it again on the same port, stopping it first if it runs."""
        await self.stop()
        await self.start()

    def reload(self) -> None:
        """Make it read its access list again."""
        os.kill(self.pid, signal.SIGHUP)

    def freeze(self) -> None:
        """Stop its execution: the kernel still takes bytes for it."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    async def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(sign)
            self._process.send_signal(signal.SIGCONT)
        await self._process.wait()
        self._process = None

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except ConnectionRefusedError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@asynccontextmanager
async def mosquitto(
    folder: Path,
    *,
    acl: str = "",
    passwords: Mapping[str, str] | None = None,
    persistence: bool = False,
    extra: Sequence[str] = (),
) -> AsyncIterator[Mosquitto]:
    """A running broker with its files below `folder`; ends the test where Mosquitto is not installed.

    `acl` is the text of its access list, `passwords` are users in clear (anonymous clients are then
    refused), `extra` are further lines of its configuration, after those of the listener.
    """
    needed("mosquitto")
    port = free_port()
    lines = [
        f"listener {port} 127.0.0.1",
        *extra,
        f"allow_anonymous {'false' if passwords else 'true'}",
        f"user {pwd.getpwuid(os.geteuid()).pw_name}",
        "set_tcp_nodelay true",
        "max_inflight_messages 1000",
        "log_dest stderr",
        "log_type all",
    ]
    if persistence:
        lines += ["persistence true", f"persistence_location {folder}/"]
    if acl:
        lines.append(f"acl_file {_written(folder / 'acl', acl)}")
    if passwords:
        users = "".join(f"{user}:{_hashed(password)}\n" for user, password in passwords.items())
        lines.append(f"password_file {_written(folder / 'passwords', users)}")
    broker = Mosquitto(_written(folder / "mosquitto.conf", "\n".join(lines) + "\n"), port)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def free_port() -> int:
    """A port of loopback that nothing listens on, and that nobody else takes before the caller does.

    Below those that the system gives to connections (32768 on, ip(7)), and of those that belong to this worker of xdist.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = secrets.choice(range(_LOWEST + worker % _WORKERS, _END, _WORKERS))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def _hashed(password: str) -> str:
    """Mosquitto's `$7$`: PBKDF2 with HMAC-SHA-512, iterations, salt and hash in base64."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${b64encode(salt).decode()}${b64encode(digest).decode()}"
