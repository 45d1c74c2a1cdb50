"""From a watch folder to the broker: a file moves when its capture is on stable storage, and not before."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.core.frames import digest
from devicehub.driver import Driver, FileLink
from devicehub.model.device import Category, Channel, ChannelKind
from devicehub.model.reading import Image, Layout
from devicehub.publish.memory import MemoryBroker
from devicehub.transport.file import FileTransport
from devicehub.transport.file_folder import Pace
from devicehub.transport.progress import Progress
from tests.real.hub_process import until
from tests.real.journals import full_disk
from tests.system.house import Furniture, House, house, journalled

pytestmark = pytest.mark.real

LINK = FileLink(patterns=("*.raw",))


def decode(data: bytes) -> Iterable[Image]:
    return (Image("image", data, Layout.U8, len(data), 1),)


DRIVER = Driver(
    name="thermal.raw",
    title="A camera that leaves files",
    category=Category.THERMAL,
    link=LINK,
    channels=(Channel(name="image", title="Image", kind=ChannelKind.IMAGE),),
    decode=decode,
)


@dataclass
class Card:
    """A folder that files are left in, and what one hub after the other made of them."""

    folder: Path
    state: Path
    broker: MemoryBroker = field(default_factory=MemoryBroker)

    def begin(self, name: str, data: bytes) -> None:
        (self.folder / f"{name}.part").write_bytes(data)

    def leave(self, name: str) -> None:
        (self.folder / f"{name}.part").rename(self.folder / name)

    def taken(self) -> set[str]:
        """Names of the files that were moved away."""
        return {path.name for path in (self.folder / "taken").glob("*")}

    def captured(self) -> list[str]:
        """Digests of the images whose event the broker has."""
        bodies = (body for body in journalled(self.broker) if body["type"] == "io.devicehub.capture")
        return [str(cast("Mapping[str, object]", body["data"])["digest"]) for body in bodies]

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[House]:
        """A hub at work on the folder."""
        progress: list[Progress] = []

        async def opened() -> FileTransport:
            async def stored(since: float, until: float) -> bool:
                return await progress[0].settled("card", since, until)

            return await FileTransport.open(self.folder, LINK, Clock(), pace=Pace(0.05, 0.02), stored=stored)

        post = Post("card", opened, lambda: DRIVER.open({}), DRIVER.quiet)
        furniture = Furniture(posts=[post], drivers={"card": DRIVER})
        async with house(self.state, (), furniture, broker=self.broker) as running:
            progress.append(running.hub._plan.progress)
            yield running


@pytest.fixture
def card(tmp_path: Path) -> Card:
    folder, state = tmp_path / "card", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    return Card(folder, state)


async def test_files_move_one_after_the_other_when_their_captures_are_stored(card: Card) -> None:
    pictures = {f"{number}.raw": bytes([number] * 50) for number in range(20)}
    async with card.hub():
        for name, data in pictures.items():
            card.begin(name, data)
            card.leave(name)
        await until(lambda: card.taken() == set(pictures))
    assert sorted(card.captured()) == sorted(map(digest, pictures.values()))


async def _handed_over_while_the_disk_is_full(card: Card, running: House) -> None:
    """A file was read, and what came of it cannot be stored."""
    card.leave("a.raw")
    await until(lambda: running.hub._gauges.refusing)


async def test_while_the_disk_takes_nothing_the_file_stays_and_moves_when_it_does(card: Card) -> None:
    card.begin("a.raw", b"picture")
    async with card.hub() as running:
        await until(lambda: running.broker.log)
        with full_disk():
            await _handed_over_while_the_disk_is_full(card, running)
            await Clock().sleep(1.5)
            assert card.taken() == set()
        await until(lambda: card.taken() == {"a.raw"})
    assert card.captured() == [digest(b"picture")]


async def test_a_hub_that_is_killed_before_it_stored_a_file_leaves_it_to_the_next(card: Card) -> None:
    card.begin("a.raw", b"picture")
    async with card.hub() as running:
        await until(lambda: running.broker.log)
        with full_disk():
            await _handed_over_while_the_disk_is_full(card, running)
            await running.kill()
    assert (card.taken(), card.captured()) == (set(), [])
    async with card.hub():
        await until(lambda: card.taken() == {"a.raw"})
    assert card.captured() == [digest(b"picture")]


async def test_a_transport_that_does_not_wait_would_lose_it(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests above exclude happens to one that takes the hand-over for the storage."""

    async def at_once(*_: object) -> bool:
        return True

    monkeypatch.setattr(Progress, "settled", at_once)
    card.begin("a.raw", b"picture")
    async with card.hub() as running:
        await until(lambda: running.broker.log)
        with full_disk():
            await _handed_over_while_the_disk_is_full(card, running)
            await until(lambda: card.taken() == {"a.raw"})
            await running.kill()
    async with card.hub():
        await Clock().sleep(1)
    assert card.captured() == []
