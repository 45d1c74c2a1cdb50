"""A device whose open hangs in the kernel, for ever: it costs one thread, and nobody else notices.

The device is a recording that is a named pipe: the kernel lets nobody open it to read until somebody writes.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.evidence import EvidenceStore
from devicehub.links import Links, OpenLink
from devicehub.model.errors import LinkBusyError, LinkLostError
from devicehub.publish.mqtt import connect
from devicehub.registry import load_driver
from devicehub.transport.blocking import Blocking
from devicehub.transport.link import Transport
from devicehub.transport.world import SimulatedWorld
from tests.patience import PATIENCE
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import message, settings

pytestmark = pytest.mark.real

ATTEMPTS = 20
# As the hub's process, with one device that hangs: it must end all the same.
_ENDING = """
import asyncio, sys
from pathlib import Path
from devicehub.transport.blocking import Blocking

async def main():
    try:
        async with asyncio.timeout(0.2):
            await Blocking("dead").run(Path(sys.argv[1]).read_text)
    except TimeoutError:
        print("given up")

asyncio.run(main())
"""


@asynccontextmanager
async def openers(*devices: DeviceConfig) -> AsyncIterator[list[OpenLink]]:
    """How to open devices, in a loop whose shared threads are few: a single leak takes them all."""
    with ThreadPoolExecutor(1) as few:
        asyncio.get_running_loop().set_default_executor(few)
        clock = Clock()
        links = Links(clock, SimulatedWorld(Path(), clock, 1))
        yield [links.opener(device, load_driver(device.driver)) for device in devices]
        links.close()


def hanging(pipe: Path) -> DeviceConfig:
    os.mkfifo(pipe)
    return DeviceConfig(id="dead", driver="radiation.atom_fast", port=f"replay:{pipe}")


async def tried(open_link: OpenLink, times: int = ATTEMPTS) -> list[str]:
    """What each attempt ended with."""
    ends = []
    for _ in range(times):
        try:
            async with asyncio.timeout(0.02):
                await open_link()
        except (TimeoutError, LinkBusyError) as error:
            ends.append(str(error))
    return ends


async def test_a_device_that_hangs_costs_one_thread_however_often_it_is_tried(tmp_path: Path) -> None:
    pipe = tmp_path / "dead"
    async with openers(hanging(pipe)) as (dead,):
        first, *others = await tried(dead)
        assert first == ""
        assert others == ["dead: an earlier attempt still hangs in the system"] * (ATTEMPTS - 1)
        assert [thread.name for thread in threading.enumerate()].count("device dead") == 1
        await released(pipe)


async def test_beside_a_device_that_hangs_others_open_evidence_is_kept_and_the_broker_is_reached(
    tmp_path: Path,
) -> None:
    pipe, folder = tmp_path / "dead", tmp_path / "card"
    folder.mkdir()
    camera = DeviceConfig(id="camera", driver="thermal.flir_rjpeg", folder=folder)
    async with (
        mosquitto(tmp_path) as broker,
        openers(hanging(pipe), camera) as (dead, alive),
        asyncio.timeout(PATIENCE),
    ):
        await tried(dead)
        transport = await alive()
        (folder / "a.jpg").write_bytes(b"picture")
        assert (await transport.read()).data == b"picture"
        with ThreadPoolExecutor(1) as own:
            await EvidenceStore(tmp_path / "evidence", own).keep("ab/abc", b"picture")
        assert (tmp_path / "evidence" / "ab" / "abc").read_bytes() == b"picture"
        async with connect(settings(broker)) as publisher:
            await publisher.submit(message("alive"))
        await transport.close()
        await released(pipe)


async def test_once_the_system_answers_the_device_opens_again(tmp_path: Path) -> None:
    pipe = tmp_path / "dead"
    async with openers(hanging(pipe)) as (dead,):
        await tried(dead, 2)
        await released(pipe)
        pipe.unlink()
        pipe.write_text("# a recording\n0.0 < 00\n")
        async with asyncio.timeout(PATIENCE):
            transport = await opened_at_last(dead)
        await transport.read()
        with pytest.raises(LinkLostError):
            await transport.read()


async def opened_at_last(open_link: OpenLink) -> Transport:
    while True:
        try:
            return await open_link()
        except LinkBusyError:
            await Clock().sleep(0.01)


async def released(pipe: Path) -> None:
    """Let the hanging thread go."""
    writer = await Blocking("writer").run(os.open, pipe, os.O_WRONLY)
    os.close(writer)


async def test_what_opens_after_its_caller_gave_up_is_given_back(tmp_path: Path) -> None:
    may, given_back = threading.Event(), threading.Event()
    blocking = Blocking("slow")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await blocking.run(may.wait, undo=lambda opened: given_back.set() if opened else None)
    may.set()
    await blocking.idle()
    assert given_back.is_set()
    assert await blocking.run(len, "next") == 4


async def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(FileNotFoundError):
        await Blocking("x").run(os.stat, "/nowhere/at/all")


async def test_a_process_with_a_device_that_hangs_ends(tmp_path: Path) -> None:
    pipe = tmp_path / "dead"
    os.mkfifo(pipe)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ENDING, str(pipe), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, out) == (0, b"given up\n")


def test_no_module_uses_the_threads_that_the_loop_shares() -> None:
    """What they are for is left: connecting to the broker, inside aiomqtt, and what is given no thread of its own."""
    product = Path(__file__).parents[2] / "devicehub"
    users = [path.name for path in product.rglob("*.py") if "to_thread(" in path.read_text(encoding="utf-8")]
    users += [path.name for path in product.rglob("*.py") if "run_in_executor(None" in path.read_text(encoding="utf-8")]
    assert not users
