"""The shipped watch-folder transport on a real disk, with real writers."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from devicehub.clock import Clock
from devicehub.driver import FileLink
from devicehub.model.errors import LinkLostError, LinkMissingError, LinkPermissionError
from devicehub.model.reading import Image
from devicehub.transport.file import FileTransport
from devicehub.transport.file_folder import Pace
from devicehub.wire.packet import Packet
from drivers.thermal.flir_rjpeg import DRIVER
from simulators.thermal.flir_rjpeg import FlirHandheld
from tests.patience import PATIENCE
from tests.real.privileges import public_folder, unprivileged

pytestmark = pytest.mark.real
LINK = FileLink(patterns=("*.jpg",), limit=1_000_000)

# A device that is another process: it writes a file in many pieces, each to the disk at once.
_WRITER = """
import sys
with open(sys.argv[1], "wb", buffering=0) as file:
    for number in range(2000):
        file.write(number.to_bytes(4, "big"))
"""


class Shelf:
    """Where what a device said is stored, or not: as a journal's side tells it."""

    def __init__(self) -> None:
        self.verdicts: list[bool] = []
        self.asked = asyncio.Event()
        self.told = asyncio.Event()
        self.told.set()

    async def stored(self, since: float, until: float) -> bool:
        assert since <= until <= asyncio.get_running_loop().time()
        self.asked.set()
        await self.told.wait()
        return self.verdicts.pop(0) if self.verdicts else True


@asynccontextmanager
async def watching(folder: Path, shelf: Shelf | None = None, *, settle: float = 0.1) -> AsyncIterator[FileTransport]:
    stored = (shelf or Shelf()).stored
    transport = await FileTransport.open(folder, LINK, Clock(), pace=Pace(settle, period=0.02), stored=stored)
    try:
        yield transport
    finally:
        await transport.close()


async def test_a_file_arrives_with_its_name_and_moves_when_it_is_stored(tmp_path: Path) -> None:
    async with watching(tmp_path) as transport:
        (tmp_path / "a.jpg").write_bytes(b"first")
        assert await transport.read() == Packet(b"first", "a.jpg")
        assert (tmp_path / "a.jpg").exists()
        (tmp_path / "b.jpg").write_bytes(b"second")
        assert await transport.read() == Packet(b"second", "b.jpg")
        assert not (tmp_path / "a.jpg").exists()
        assert (tmp_path / "taken" / "a.jpg").read_bytes() == b"first"
        assert transport.identity.path == str(tmp_path)


async def test_a_file_written_in_many_pieces_by_another_process_arrives_whole(tmp_path: Path) -> None:
    async with watching(tmp_path, settle=0.5) as transport:
        reading = asyncio.create_task(transport.read())
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(tmp_path / "a.jpg"))
        assert await writer.wait() == 0
        packet = await reading
        assert packet.data == b"".join(number.to_bytes(4, "big") for number in range(2000))


async def test_a_hub_that_died_before_asking_again_reads_the_file_again(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    for _ in range(2):
        async with watching(tmp_path) as transport:
            assert await transport.read() == Packet(b"x", "a.jpg")


async def test_a_hub_whose_disk_refused_and_that_died_reads_the_file_again(tmp_path: Path) -> None:
    """To ask for the next file says nothing about the first one's event."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    for _ in range(2):
        shelf = Shelf()
        shelf.told.clear()
        async with watching(tmp_path, shelf) as transport:
            assert await transport.read() == Packet(b"x", "a.jpg")
            following = asyncio.create_task(transport.read())
            await shelf.asked.wait()
            await transport.close()
            with pytest.raises(LinkLostError):
                await following
    assert (tmp_path / "a.jpg").exists()


async def test_a_reader_that_loses_patience_while_the_disk_refuses_misses_nothing(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.told.clear()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(name.encode())
        os.utime(tmp_path / name, (1_000, 1_000))
    async with watching(tmp_path, shelf) as transport, asyncio.timeout(PATIENCE):
        assert await transport.read() == Packet(b"a.jpg", "a.jpg")
        for _ in range(5):
            hasty = asyncio.create_task(transport.read())
            shelf.asked.clear()
            await shelf.asked.wait()
            hasty.cancel()
            await asyncio.gather(hasty, return_exceptions=True)
        assert not (tmp_path / "taken").exists()
        shelf.told.set()
        assert await transport.read() == Packet(b"b.jpg", "b.jpg")
        assert (tmp_path / "taken" / "a.jpg").exists()


async def test_a_file_that_there_was_no_room_for_comes_again(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.verdicts = [False, False, True]
    (tmp_path / "a.jpg").write_bytes(b"x")
    async with watching(tmp_path, shelf) as transport, asyncio.timeout(PATIENCE):
        assert [await transport.read() for _ in range(3)] == [Packet(b"x", "a.jpg")] * 3
        (tmp_path / "b.jpg").write_bytes(b"y")
        assert await transport.read() == Packet(b"y", "b.jpg")
        assert (tmp_path / "taken" / "a.jpg").exists()


async def test_where_nothing_is_stored_files_stay_in_place(tmp_path: Path) -> None:
    transport = await FileTransport.open(tmp_path, LINK, Clock(), pace=Pace(0.1, period=0.02))
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert await transport.read() == Packet(b"x", "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"y")
    assert await transport.read() == Packet(b"y", "b.jpg")
    await transport.close()
    assert [path.exists() for path in (tmp_path / "a.jpg", tmp_path / "b.jpg")] == [True, True]


async def test_a_cancelled_read_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    names = [f"{number:02d}.jpg" for number in range(20)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        os.utime(tmp_path / name, (1_000, 1_000))
    async with watching(tmp_path) as transport, asyncio.timeout(PATIENCE):
        packets = [await transport.read()]
        while len(packets) < len(names):
            hasty = asyncio.create_task(transport.read())
            await asyncio.wait([hasty], timeout=0)
            if hasty.cancel():
                await asyncio.gather(hasty, return_exceptions=True)
            packets.append(await transport.read() if hasty.cancelled() else hasty.result())
    assert packets == [Packet(name.encode(), name) for name in names]


async def test_a_folder_removed_while_waiting_is_a_lost_link(tmp_path: Path) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    async with watching(folder) as transport:
        (folder / "a.jpg").write_bytes(b"x")
        await transport.read()
        reading = asyncio.create_task(transport.read())
        shutil.rmtree(folder)
        with pytest.raises(LinkLostError):
            await reading
        with pytest.raises(LinkLostError):
            await transport.read()


@pytest.mark.parametrize("name", ["nothing", "file/below"])
async def test_a_folder_that_is_not_there_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(LinkMissingError, match=name):
        await FileTransport.open(tmp_path / name, LINK, Clock())


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(LinkMissingError, match="Not a directory"):
        await FileTransport.open(tmp_path / "file", LINK, Clock())


@pytest.mark.parametrize("mode", [0o000, 0o555, 0o666])
async def test_a_folder_that_cannot_be_read_and_written_is_refused(mode: int) -> None:
    with (
        public_folder() as folder,
        unprivileged(folder, mode),
        pytest.raises(LinkPermissionError, match="must be readable and writable"),
    ):
        await FileTransport.open(folder, LINK, Clock())


async def test_closing_ends_a_pending_read_and_may_be_done_twice(tmp_path: Path) -> None:
    async with watching(tmp_path) as transport:
        reading = asyncio.create_task(transport.read())
        await asyncio.wait([reading], timeout=0)
        await transport.close()
        await transport.close()
        with pytest.raises(LinkLostError, match="closed"):
            await reading
        with pytest.raises(LinkLostError, match="closed"):
            await transport.read()


async def test_nothing_can_be_written_to_a_folder(tmp_path: Path) -> None:
    async with watching(tmp_path) as transport:
        with pytest.raises(LinkLostError, match="takes no packets"):
            await transport.write(Packet(b"x"))


async def test_a_simulated_camera_s_picture_becomes_an_image(tmp_path: Path) -> None:
    camera = FlirHandheld(Random(1))
    camera.do("snapshot", format="png")
    ((name, data),) = camera.advance(1.0)
    async with watching(tmp_path) as transport:
        part = tmp_path / f"{name}.part"
        part.write_bytes(data)
        part.rename(tmp_path / name)
        step = DRIVER.open({}).on_packet(0.0, await transport.read())
    assert not step.faults
    assert isinstance(step.samples[-1], Image)
