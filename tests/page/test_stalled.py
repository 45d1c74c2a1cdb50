"""Browsers that take nothing, until every buffer between is full: alarms do not wait for them, nothing is hoarded for
them, and the hub ends in time, its journal closed.

They are WebSocket clients that open what the page opens, since Chromium cannot be made to stop taking bytes: it reads
into its own memory whatever a script does.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Self
from urllib.parse import SplitResult, urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from devicehub.clock import Clock
from devicehub.publish.mqtt import subscribe
from devicehub.publish.port import Incoming
from devicehub.publish.settings import BrokerSettings
from simulators.endoscope.depstech import Depstech
from simulators.thermal.gy_mcu90640 import SIMULATOR
from tests.page.browsing import HUB
from tests.real.hub_process import HubProcess, journal_facts, started
from tests.real.mosquitto import mosquitto
from tests.real.network_world import tcp_device

pytestmark = [pytest.mark.real, pytest.mark.alone]

CONFIG = """
[[device]]
id = "stream-1"
driver = "endoscope.depstech"
port = "tcp://127.0.0.1:{stream}"

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "socket://127.0.0.1:{camera}"

[[limit]]
device = "thermal-1"
channel = "image.max"
high = 33.0

[mqtt]
url = "mqtt://127.0.0.1:{broker}"
"""
EVENTS = "devicehub-sim/v1/bcp-north/lane-1/event"
PATHS = ("/ws/images/stream-1?rate=25", "/ws/news", "/ws/raw/stream-1")
FRAME = 0.25
TRIES = 12
LATE = 1.0
"""Seconds from a hot frame to its event, at most; a browser that is waited for never lets it through."""
SLOWER = 0.1
"""Seconds that the usual alarm may take longer with browsers than without any."""
ENDS = 2.0
SMALL = 4096
FULL = 64 * 1024
STILL = 5
HOARDED = 10e6
"""Bytes that a hub may grow by; three times as much is made for four browsers meanwhile."""
LONG = 10.0


@dataclass
class Camera:
    """A thermal camera behind a TCP port, whose frames are written one by one."""

    simulator: SIMULATOR = field(default_factory=lambda: SIMULATOR(Random(1)))
    port: int = 0
    _line: asyncio.StreamWriter | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.port = self._server.sockets[0].getsockname()[1]
        self.simulator.do("rate", hz=1 / FRAME)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        if self._line is not None:
            self._line.transport.abort()

    async def ready(self, hub: HubProcess) -> None:
        """Frames until the hub says that it has them."""
        await self._came.wait()
        said = asyncio.create_task(hub.says("device thermal-1 is ready", 60))
        while not said.done():
            self.show(0.0)
            await asyncio.wait([said], timeout=FRAME)
        await said

    def show(self, kelvin: float) -> float:
        """Write a frame with a spot that is so much hotter than the room; when that was."""
        assert self._line is not None
        self.simulator.do("hotspot", x=16.0, y=12.0, dk=kelvin)
        self._line.write(self.simulator.advance(FRAME))
        return Clock().monotonic()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._line = writer
        self._came.set()
        while asked := await reader.read(100):
            writer.write(self.simulator.on_bytes(asked))


@dataclass
class Scene:
    """A hub with its page, a camera whose frames are written by hand, and who listens to the hub's events."""

    hub: HubProcess
    page: SplitResult
    camera: Camera
    events: AsyncIterator[Incoming]
    stack: AsyncExitStack

    async def took(self) -> float:
        """Seconds from a hot frame to the event, on the broker; the alarm has returned to normal afterwards."""
        raised = await self._told(30.0, "alarm-raised")
        await self._told(0.0, "alarm-returned")
        return raised

    async def _told(self, kelvin: float, word: str) -> float:
        clock = Clock()
        written = self.camera.show(kelvin)
        async with asyncio.timeout(LATE):
            while (await anext(self.events)).topic != f"{EVENTS}/{word}":
                pass
        return clock.monotonic() - written

    async def alarms(self) -> list[float]:
        return [await self.took() for _ in range(TRIES)]

    async def open(self, path: str, *, small: bool) -> ClientConnection:
        """A socket to the page; `small`: that holds as little as can be."""
        line = socket.create_connection((self.page.hostname or "", self.page.port or 0))
        if small:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        one = await connect(
            f"ws://{self.page.netloc}{path}",
            sock=line,
            additional_headers={"Cookie": f"devicehub={self.page.query.partition('=')[2]}"},
            origin=f"http://{self.page.netloc}",  # type: ignore[arg-type]  # a NewType of str
            compression=None,
            max_size=None,
        )
        self.stack.push_async_callback(_dropped, one)
        return one

    async def stalled(self, browsers: int) -> list[ClientConnection]:
        """Browsers that take nothing, once the system holds as much for each as it will."""
        found = [await self.open(path, small=True) for _ in range(browsers) for path in PATHS]
        for one in found:
            one.transport.pause_reading()
        for one in found[:: len(PATHS)]:
            await _full(self.page.port or 0, one.local_address[1])
        return found


async def _dropped(one: ClientConnection) -> None:
    one.transport.abort()
    await one.wait_closed()


async def _read(one: ClientConnection) -> int:
    """How much came until it was closed."""
    count = 0
    with suppress(ConnectionClosed):
        async for _ in one:
            count += 1
    return count


async def _full(page: int, browser: int) -> None:
    """Wait until what the hub's end holds for a browser grows no more."""
    seen: list[int] = []
    async with asyncio.timeout(60):
        while len(seen) < STILL or len(set(seen[-STILL:])) > 1 or seen[-1] < FULL:
            await Clock().sleep(0.2)
            seen.append(_held(page, browser))


def _held(page: int, browser: int) -> int:
    """Bytes that were sent and not taken, of the connection between these ports: `tx_queue` of proc(5)."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if (int(local.split(":")[1], 16), int(remote.split(":")[1], 16)) == (page, browser):
            return int(queues.split(":")[0], 16)
    return 0


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@asynccontextmanager
async def scene(folder: Path, program: Sequence[str] = ("-m", "devicehub")) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto(folder))
        camera = await stack.enter_async_context(Camera())
        endoscope = Depstech(Random(1))
        endoscope.do("rate", hz=25.0)
        stream = await stack.enter_async_context(tcp_device(endoscope))
        file = folder / "hub.toml"
        file.write_text(HUB + CONFIG.format(camera=camera.port, stream=stream, broker=broker.port))
        hub = await stack.enter_async_context(started("run", "--config", str(file), cwd=folder, program=program))
        page = urlsplit((await hub.says("page: ", 60)).partition("page: ")[2])
        settings = BrokerSettings(host=broker.host, port=broker.port)
        events = await stack.enter_async_context(subscribe(settings, [f"{EVENTS}/#"]))
        await camera.ready(hub)
        await hub.says("device stream-1 is ready", 60)
        yield Scene(hub, page, camera, events, stack)


async def ended(one: Scene, folder: Path) -> None:
    """The hub ends in time at a signal, without an error, its journal closed."""
    clock = Clock()
    began = clock.monotonic()
    assert await one.hub.ends(signal.SIGTERM) == 0
    assert clock.monotonic() - began < ENDS
    assert [line for line in one.hub.errors if '"level": "error"' in line] == []
    assert journal_facts(folder / "state" / "journal.sqlite")["running"] == 0


@pytest.mark.parametrize("browsers", [1, 4])
async def test_browsers_that_take_nothing_delay_no_alarm_and_keep_the_hub_from_nothing(
    tmp_path: Path, browsers: int
) -> None:
    async with scene(tmp_path) as one:
        alone = await one.alarms()
        await one.stalled(browsers)
        beside = await one.alarms()
        print(f"hot frame to event: {median(alone):.3f} s alone, {median(beside):.3f} s beside {browsers} stalled")
        assert max(beside) < LATE
        assert median(beside) - median(alone) < SLOWER
        await ended(one, tmp_path)


async def test_four_browsers_that_read_delay_no_alarm_either(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        alone = await one.alarms()
        reading = [asyncio.create_task(_read(await one.open(path, small=False))) for _ in range(4) for path in PATHS]
        beside = await one.alarms()
        print(f"hot frame to event: {median(alone):.3f} s alone, {median(beside):.3f} s beside four that read")
        assert max(beside) < LATE
        assert median(beside) - median(alone) < SLOWER
        await ended(one, tmp_path)
        assert all(count > 0 for count in await asyncio.gather(*reading))


async def _growth(one: Scene) -> float:
    """Bytes that the hub grows by while four browsers take nothing for long."""
    await one.stalled(4)
    before = _resident(one.hub.pid)
    await Clock().sleep(LONG)
    grown = _resident(one.hub.pid) - before
    print(f"grown by {grown / 1e6:.1f} MB in {LONG:g} s")
    return grown


async def test_nothing_is_hoarded_for_a_browser_that_takes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        assert await _growth(one) < HOARDED


async def test_sabotage_a_hub_that_waits_for_browsers_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, ("-m", "tests.page.broken_server", "waits")) as one:
        await one.took()
        await one.stalled(1)
        with pytest.raises(TimeoutError):
            await one.took()


async def test_sabotage_a_hub_that_hoards_for_browsers_is_found(tmp_path: Path) -> None:
    async with scene(tmp_path, ("-m", "tests.page.broken_server", "hoards")) as one:
        assert await _growth(one) > HOARDED
