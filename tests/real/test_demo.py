"""`python -m devicehub demo`: everything is there in seconds, says that it is an exercise, and leaves nothing behind."""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devicehub.clock import Clock
from devicehub.config import load_config
from devicehub.config.resources import shipped
from devicehub.model.instant import instant
from devicehub.model.message import Kind
from devicehub.model.stream import Stream
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Outgoing, Publisher
from devicehub.publish.settings import BrokerSettings, Version
from devicehub.registry import load_driver
from tests.patience import PATIENCE
from tests.programs import needed_package
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import HubProcess, started
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

FIRST_READING = 8.0
FIRST_ALARM = 15.0
END = 5.0
ASK_EVERY = 10.0
FAMILIES = {"thermal", "trace", "scanner", "endoscope", "radiation"}
# A computer without Mosquitto: the search finds it wherever it is installed, so its places are taken away.
NO_MOSQUITTO = (
    "import sys\n"
    "from devicehub.publish import broker\n"
    "broker._MORE_FOLDERS = ()\n"
    "from devicehub.cli.main import main\n"
    "sys.exit(main())\n"
)


@dataclass
class Demonstration:
    """A running one. `began`: loop second at which the process was started; `folder`: where its files go."""

    hub: HubProcess
    ears: Ears
    began: float
    folder: Path

    def since_start(self, kind: Kind) -> float:
        """Seconds from the start of the process to the first message of a kind."""
        return self.ears.of(kind)[0].at - self.began

    def children(self) -> list[int]:
        """The broker's process and whatever else it started."""
        tasks = Path(f"/proc/{self.hub.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]

    def nothing_is_missing(self) -> bool:
        """Whether every number of every stream was heard that is smaller than one that was."""
        heard = [set(self.ears.sequences(stream)) for stream in Stream]
        return all(numbers == set(range(1, len(numbers) + 1)) for numbers in heard)

    def keep_journal(self) -> Path:
        """A second name for the journal, which outlives the folder that is deleted at the end."""
        (journal,) = self.folder.glob("devicehub-demo-*/journal.sqlite")
        kept = self.folder.parent / "kept.sqlite"
        os.link(journal, kept)
        return kept


@asynccontextmanager
async def demonstration(
    folder: Path, program: Sequence[str] = ("-m", "devicehub"), version: Version = Version.AUTO, path: str = ""
) -> AsyncIterator[Demonstration]:
    temporary = folder / "tmp"
    temporary.mkdir()
    began = asyncio.get_running_loop().time()
    environment = {"TMPDIR": str(temporary)} | ({"PATH": path} if path else {})
    async with started("demo", cwd=folder, environment=environment, program=program) as hub:
        url = urlsplit(re.sub(r".* mqtt:", "mqtt:", await hub.says("--broker mqtt://")))
        assert url.hostname
        assert url.port
        settings = BrokerSettings(host=url.hostname, port=url.port, version=version)
        async with hearing(settings) as ears:
            yield Demonstration(hub, ears, began, temporary)


def families(ears: Ears) -> set[str]:
    """Families of the devices that have said something."""
    ready = {one.place for one in ears.of(Kind.DEVICE) if one.data["state"] == "ready"}
    return {one.data["category"] for one in ears.of(Kind.DESCRIBE) if one.place in ready}


async def asked_for(demo: Demonstration, publisher: Publisher) -> None:
    """Until both events of the broker were heard and all else, asked for again where the hub was not there to hear it."""

    def all_came() -> bool:
        told = [demo.ears.of(Kind.EVENT, f"hub-broker-{what}") for what in ("ended", "restarted")]
        return all(told) and demo.nothing_is_missing()

    async with asyncio.timeout(PATIENCE):
        names = (f"again-{number}" for number in count())
        while not all_came():
            await publisher.submit(everything_again(demo.ears, next(names)))
            with suppress(TimeoutError):
                await demo.ears.until(all_came, ASK_EVERY)


def everything_again(ears: Ears, name: str) -> Outgoing:
    """The command that asks a hub for all events of its journal."""
    prefix = "/".join(ears.heard[0].topic.split("/")[:4])
    args = {"stream": "all", "after": 0}
    body = {"id": name, "issuer": "t", "deadline": instant(Clock().utc() + PATIENCE), "args": args}
    return message(f"{prefix}/cmd/hub/replay", json.dumps(body).encode())


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.alone
async def test_a_reading_in_8_s_an_alarm_in_15_s_all_families_and_a_clean_end(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as demo:
        ears = demo.ears
        await ears.until(lambda: ears.of(Kind.READING))
        await ears.until(lambda: ears.of(Kind.ALARM))
        await ears.until(lambda: families(ears) >= FAMILIES)
        children, journal = demo.children(), demo.keep_journal()
        assert children
        before = asyncio.get_running_loop().time()
        assert await demo.hub.ends(signal.SIGTERM) == 0
        assert asyncio.get_running_loop().time() - before < END
    assert demo.since_start(Kind.READING) < FIRST_READING
    assert demo.since_start(Kind.ALARM) < FIRST_ALARM
    assert all(one.topic.startswith("devicehub-sim/v1/") for one in ears.heard)
    assert all(one.body["exercise"] is True for one in ears.heard if one.body)
    assert ears.of(Kind.STATUS)[-1].data["state"] == "offline"
    assert not [pid for pid in children if is_running(pid)]
    assert list(demo.folder.iterdir()) == []
    with closing(sqlite3.connect(journal)) as kept:
        assert kept.execute("SELECT value FROM meta WHERE name = 'running'").fetchall() == [(0,)]
    assert not [line for line in demo.hub.errors if "Traceback" in line]


async def test_without_mosquitto_it_says_what_its_broker_cannot_do_and_delivers(tmp_path: Path) -> None:
    needed_package("amqtt")
    tools = tmp_path / "bin"
    tools.mkdir()
    assert shutil.which("mosquitto", path=str(tools)) is None
    program = ("-c", NO_MOSQUITTO)
    async with demonstration(tmp_path, program, Version.V311, path=str(tools)) as demo:
        assert "amqtt" in await demo.hub.says("FOR DEVELOPMENT ONLY")
        await demo.hub.says(f"all of it: {sys.executable} -m devicehub watch --broker mqtt://")
        await demo.ears.until(lambda: demo.ears.of(Kind.READING))
        await demo.ears.until(lambda: demo.ears.of(Kind.ALARM))
        children = demo.children()
        before = asyncio.get_running_loop().time()
        assert await demo.hub.ends(signal.SIGTERM) == 0
        assert asyncio.get_running_loop().time() - before < END
    assert demo.ears.of(Kind.STATUS)[0].data["delivery"] == "unverified"
    assert not [pid for pid in children if is_running(pid)]
    assert list(demo.folder.iterdir()) == []


async def test_a_broker_that_is_killed_is_started_again_in_its_place_and_nothing_is_missing(tmp_path: Path) -> None:
    """What was retained comes back, what the hub journalled meanwhile is delivered, and both events are among it.

    The hub may be back before we are, and what it then sends nobody hears: whoever was away asks for it again.
    """
    async with demonstration(tmp_path) as demo:
        await demo.ears.until(lambda: demo.ears.of(Kind.READING))
        (broker,) = demo.children()
        os.kill(broker, signal.SIGKILL)
        await demo.hub.says("was killed (signal 9)")
        await demo.hub.says("broker-restarted")
        address = (next(demo.folder.glob("devicehub-demo-*")) / "broker" / "address").read_text()
        url = urlsplit(address.strip())
        assert url.hostname
        back = BrokerSettings(host=url.hostname, port=url.port or 0)
        async with hearing(back, demo.ears), connect(back) as publisher:
            await asked_for(demo, publisher)
            heard = len(demo.ears.of(Kind.READING))
            await demo.ears.until(lambda: len(demo.ears.of(Kind.READING)) > heard)
        (again,) = demo.children()
        assert again != broker
        assert await demo.hub.ends(signal.SIGTERM) == 0
    assert not is_running(broker)
    assert not is_running(again)
    assert list(demo.folder.iterdir()) == []


async def test_without_a_file_a_hangup_is_answered_by_an_event(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as demo:
        await demo.ears.until(lambda: demo.ears.of(Kind.READING))
        os.kill(demo.hub.pid, signal.SIGHUP)
        failed = await demo.ears.first(Kind.EVENT, "hub-reload-failed")
        assert failed.data["why"] == "no file holds this configuration: there is nothing to read again"
        heard = len(demo.ears.of(Kind.READING))
        await demo.ears.until(lambda: len(demo.ears.of(Kind.READING)) > heard)
        assert await demo.hub.ends(signal.SIGTERM) == 0


def test_the_configuration_has_every_family() -> None:
    config = load_config(shipped("demo.toml"))
    assert {str(load_driver(device.driver).category) for device in config.device} == FAMILIES
    assert config.hub.exercise
