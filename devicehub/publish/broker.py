"""A broker of our own, for a workstation that has none configured.

Mosquitto as a child process where it is installed, otherwise amqtt, which is for development only.
Both listen on loopback and on nothing else, so that no password is needed and none would protect.
"""

import asyncio
import importlib.util
import os
import shutil
import socket
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Literal, Self

from devicehub.clock import Clock
from devicehub.model.errors import ConfigError, DeliveryError
from devicehub.publish.settings import Version

HOST: Final = "127.0.0.1"
Kind = Literal["mosquitto", "amqtt"]

_HERE = Path(__file__).parent
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_READY_S = 10.0
_STOP_S = 5.0
_ATTEMPTS = 3
_BANNERS: Mapping[Kind, str] = MappingProxyType(
    {
        "mosquitto": (
            "embedded broker: Mosquitto at {host}:{port}, this computer only; a kill or power cut takes up to 10 s of "
            "what it acknowledged"
        ),
        "amqtt": (
            "embedded broker: amqtt at {host}:{port}, FOR DEVELOPMENT ONLY: no MQTT 5 (a refused message is not "
            "noticed), no messages kept for absent subscribers, nothing kept over a restart. Install Mosquitto"
        ),
    }
)
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 10
max_inflight_messages 1000
max_queued_messages 100000
persistent_client_expiration 30d
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
"""


def available() -> Kind:
    """The better of the brokers that can be started here. Raises `ConfigError` saying what to install."""
    if _mosquitto():
        return "mosquitto"
    if importlib.util.find_spec("amqtt") is not None:
        return "amqtt"
    raise ConfigError("no broker is configured and none is installed: install mosquitto, or devicehub[broker]")


class EmbeddedBroker:
    """A broker as a child process while the context is open; it ends with this process in any case (Linux).

    `folder` holds Mosquitto's configuration and what it retains; it is made if absent. `port` 0
    takes any free one, `kind` None the better one available. `host`, `port`, `kind` and `banner`
    are valid inside the context. Entering raises `DeliveryError` when the broker does not start.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None, port: int = 0, kind: Kind | None = None) -> None:
        self.host = HOST
        self.port = port
        self.kind: Kind = kind or available()
        self._folder = folder.absolute()
        self._any_port = port == 0
        self._clock = clock or Clock()
        self._said: deque[str] = deque(maxlen=5)
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def banner(self) -> str:
        """One line for the operator: which broker, where, and what it cannot do."""
        return _BANNERS[self.kind].format(host=self.host, port=self.port)

    @property
    def version(self) -> Version:
        """What to speak with it: amqtt knows 3.1.1 only, and does not always answer when it is asked for more."""
        return Version.AUTO if self.kind == "mosquitto" else Version.V311

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._process is not None
        return self._process.pid

    async def ended(self) -> None:
        """Wait until the broker has ended by itself, then raise `DeliveryError` with its last words."""
        assert self._process is not None
        assert self._listening is not None
        code = await self._process.wait()
        await asyncio.wait({self._listening})
        how = f"ended with code {code}" if code >= 0 else f"was killed (signal {-code})"
        raise DeliveryError(f"the embedded broker ({self.kind}) {how}: {self._last_words()}")

    async def again(self) -> None:
        """Start it again where it was, after it has ended. Raises `DeliveryError`."""
        try:
            _free(self.port)
            await self._start()
        except OSError as error:
            raise DeliveryError(f"the embedded broker ({self.kind}) does not start: {error.strerror}") from error

    async def __aenter__(self) -> Self:
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = _free(0 if self._any_port else self.port)
            try:
                await self._start()
            except DeliveryError:
                # Between our look at the port and the broker's, somebody else may have taken it.
                if not self._any_port or attempt == _ATTEMPTS:
                    raise
            else:
                break
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        self._said.clear()
        command = self._mosquitto_command() if self.kind == "mosquitto" else self._amqtt_command()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(_HERE / "bound.py"),
            str(os.getpid()),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C ends the hub, and the hub ends the broker, after its last message
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        try:
            await self._ready()
        except BaseException:
            await self._stop()
            raise

    async def _ready(self) -> None:
        ended = asyncio.create_task(self.ended())
        accepting = asyncio.create_task(self._accepting())
        try:
            done, _ = await asyncio.wait({ended, accepting}, timeout=_READY_S, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise DeliveryError(
                    f"the embedded broker ({self.kind}) does not accept connections: {self._last_words()}"
                )
            for task in done:
                task.result()
        finally:
            ended.cancel()
            accepting.cancel()
            await asyncio.gather(ended, accepting, return_exceptions=True)

    async def _accepting(self) -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection(self.host, self.port)
            except ConnectionRefusedError:
                await self._clock.sleep(0.02)
            else:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
                return

    async def _stop(self) -> None:
        process, listening = self._process, self._listening
        assert process is not None
        assert listening is not None
        if process.returncode is None:
            process.terminate()
            waiting = asyncio.ensure_future(process.wait())
            done, _ = await asyncio.wait([waiting], timeout=_STOP_S)
            if not done:
                process.kill()
            await waiting
        await asyncio.wait({listening})

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while block := await process.stderr.read(4096):
            self._said.extend(line for line in block.decode(errors="replace").splitlines() if line.strip())

    def _last_words(self) -> str:
        """The cause, as far as it told it: Mosquitto's warnings, as the one about root, are none."""
        return " / ".join(line for line in self._said if ": Warning:" not in line) or "it said nothing"

    def _mosquitto_command(self) -> list[str]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = _MOSQUITTO.format(port=self.port, host=self.host, folder=self._folder)
        if os.geteuid() == 0:
            text += "user root\n"  # otherwise it gives up the rights that its own state folder needs
        config = self._folder / "mosquitto.conf"
        config.write_text(text)
        return [_mosquitto(), "-c", str(config)]

    def _amqtt_command(self) -> list[str]:
        return [sys.executable, "-P", str(_HERE / "amqtt_child.py"), str(self.port)]


def _mosquitto() -> str:
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *_MORE_FOLDERS))) or ""


def _free(port: int) -> int:
    """`port`, or any free one for 0. Raises `DeliveryError` if somebody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DeliveryError(f"port {port} of {HOST} is taken ({error.strerror}): configure another one") from error
        free: int = probe.getsockname()[1]
        return free
