"""A hub that was told to end does end, whatever hangs; and what it left is taken up by the next one."""

import asyncio
import os
import resource
import signal
from functools import partial
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.collect.supervisor import CLOSE_MOST, Post
from devicehub.journal import Journal
from devicehub.lock import held
from devicehub.model.errors import JournalError
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import HubEventData
from devicehub.publish.port import Outgoing
from devicehub.registry import load_driver
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import journal_facts, started
from tests.real.journals import delivered
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import retained, settings
from tests.real.whole_hub import running_hub
from tests.real.workstation import ALARM, PREFIX, workstation

pytestmark = pytest.mark.real

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOTIFICATION = Packet(bytes.fromhex("0006bcbf3e6613343e1000411a"), "70bc767e-7a1a-4304-81ed-14b9af54f7bd")


class Stubborn(MemoryTransport):
    """A link that never closes."""

    async def close(self) -> None:
        await asyncio.Event().wait()


async def test_a_link_that_does_not_close_is_left_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    driver, ears = load_driver("radiation.atom_fast"), Ears()

    async def opened() -> MemoryTransport:
        link = Stubborn(lambda _: None)
        link.push([NOTIFICATION])
        return link

    post = Post("gamma-1", opened, partial(driver.open, {}))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE), mosquitto(tmp_path) as broker, hearing(settings(broker), ears):
        async with running_hub(tmp_path / "state", settings(broker), {"gamma-1": driver}, [post]):
            await ears.first(Kind.READING, "gamma-1/dose-rate")
            before = loop.time()
        assert CLOSE_MOST <= loop.time() - before < CLOSE_MOST + 3.0
        await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert "gamma-1: its link does not close and is left behind" in caplog.text
    assert journal_facts(tmp_path / "state" / "journal.sqlite")["running"] == 0


async def test_a_device_whose_thread_never_returns_does_not_keep_the_hub_from_ending(tmp_path: Path) -> None:
    """A recording read from a named pipe that nobody writes: a system call that cannot be interrupted."""
    os.mkfifo(tmp_path / "fifo")
    played = FIXTURES / "atom_fast" / "published-captures.txt"
    async with mosquitto(tmp_path) as broker:
        (tmp_path / "devicehub.toml").write_text(
            '[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "state"\n'
            f'[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
            f'[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\nport = "replay:{played}"\n'
            '[[device]]\nid = "stuck"\ndriver = "radiation.atom_fast"\nport = "replay:fifo"\n'
        )
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.READING, "gamma-1/dose-rate")
            assert await hub.ends(signal.SIGTERM, seconds=30) == 0
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert journal_facts(tmp_path / "state" / "journal.sqlite")["running"] == 0
    assert not any("Timeout" in line for line in hub.errors), "nothing had to be cut short"


async def test_a_hub_whose_disk_takes_nothing_more_says_so_and_ends_when_told(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        workstation(tmp_path, broker),
        hearing(settings(broker)) as ears,
        started("run", cwd=tmp_path) as hub,
    ):
        await ears.first(Kind.READING, "vapour-1/voc")
        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (0, 0))
        await hub.says("not accepting events")
        assert await hub.ends(signal.SIGTERM, seconds=30) == 75
        await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert not [line for line in hub.errors if "Traceback" in line]
    assert "journal" in hub.errors[-1]
    ears.gapless()


async def _illegible(path: Path) -> None:
    """The newest state of the alarm, as the broker has it, is one of another make."""

    def encode(message: Message, place: Place) -> Outgoing:
        topic, kind = f"{PREFIX}/alarm/{ALARM}", "io.devicehub.alarm.raised"
        return Outgoing(topic, b'{"data": 7}', 1, retain=True, expiry=None, type=kind, id=message.id, subject=ALARM)

    journal = Journal(path, encode, Clock())
    await journal.open()
    device, point = ALARM.split("/")
    await journal.append([Message(Kind.ALARM, "alarm.raised", "0" * 26, 0.0, 0.0, HubEventData("x"), device, point)])
    await delivered(journal, journal.last)
    await journal.close()


async def test_a_standing_alarm_that_the_next_version_cannot_read_is_deleted(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        station.vapour(160.0)
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.ALARM, ALARM)
            assert await hub.ends(signal.SIGTERM) == 0
        assert len(await retained(broker, f"{PREFIX}/alarm/{ALARM}")) == 1
        await _illegible(station.journal)
        station.vapour(0.0)
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.until(lambda: [one for one in ears.of(Kind.ALARM, ALARM) if not one.body])
            assert await hub.ends(signal.SIGTERM) == 0
        assert await retained(broker, f"{PREFIX}/alarm/{ALARM}") == []
    assert any("is deleted" in line for line in hub.errors)


def test_a_folder_is_held_once_and_given_back(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(JournalError, match=f"process {os.getpid()}"), held(tmp_path):
        pass
    with held(tmp_path):
        assert (tmp_path / "hub.lock").read_text() == f"{os.getpid()}\n"
