"""`devicehub run` as a process on a real broker, with devices on pseudo-terminals: what outages and crashes leave."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from devicehub.clock import Clock
from devicehub.model.message import Kind
from devicehub.transport.pty import SimulatedLine
from drivers.trace.aci_pids3 import encode
from simulators.trace.aci_pids3 import AciPids3
from tests.real.hearing import Ears, Heard, hearing, understood
from tests.real.hub_process import HubProcess, journal_facts, started, until
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import retained, settings

pytestmark = pytest.mark.real

FIXTURES = Path(__file__).parents[1] / "fixtures"
ALARM = "vapour-1/voc-high"
PREFIX = "devicehub-sim/v1/s/n"
QUICK = 5.0


class Workstation:
    """A folder with a configuration, and vapour detectors on pseudo-terminals that outlive every hub."""

    def __init__(self, folder: Path, broker: Mosquitto, protocol: str = "auto") -> None:
        self.folder = folder
        self.journal = folder / "state" / "journal.sqlite"
        self._lines = [_line(folder, number) for number in (1, 2, 3)]
        devices = "".join(
            f'[[device]]\nid = "vapour-{number}"\ndriver = "trace.aci_pids3"\nport = "{line.path}"\n'
            for number, line in enumerate(self._lines, 1)
        )
        (folder / "devicehub.toml").write_text(
            '[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "state"\n'
            f'[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\nprotocol = "{protocol}"\n{devices}'
            '[[limit]]\ndevice = "vapour-1"\nchannel = "voc"\nhigh = 20.0\nhysteresis = 2.0\n'
        )

    def vapour(self, ppm: float) -> None:
        """What the first detector smells from now on."""
        self._lines[0].simulator.do("vapour", ppm=ppm)

    def stored(self) -> int:
        """The number of the last event in the journal."""
        return journal_facts(self.journal)["sequence"] if self.journal.exists() else 0

    async def stored_more(self, count: int) -> int:
        """Wait until `count` events more are in the journal; the number of the last one."""
        before = self.stored()
        await until(lambda: self.stored() >= before + count)
        return self.stored()

    async def close(self) -> None:
        for line in self._lines:
            await line.close()


def _measuring(number: int) -> AciPids3:
    """A detector whose lamp has been lit for long."""
    detector = AciPids3(Random(number))
    detector.on_bytes(encode("pids.start"))
    detector.advance(60.0)
    return detector


def _line(folder: Path, number: int) -> SimulatedLine:
    line = SimulatedLine(lambda: _measuring(number), Clock(), link=folder / f"tty{number}")
    line.plug()
    return line


@asynccontextmanager
async def workstation(folder: Path, broker: Mosquitto, protocol: str = "auto") -> AsyncIterator[Workstation]:
    station = Workstation(folder, broker, protocol)
    try:
        yield station
    finally:
        await station.close()


@asynccontextmanager
async def back(broker: Mosquitto, hub: HubProcess, ears: Ears) -> AsyncIterator[None]:
    """The broker is there again; the hub stands still until somebody listens, so that nothing can pass unheard."""
    hub.freeze()
    await broker.start()
    async with hearing(settings(broker), ears, qos=0):
        hub.thaw()
        yield


def gapless(ears: Ears) -> list[int]:
    """The numbers heard, which must be all from 1 on, each for the first time in its place."""
    numbers = ears.sequences()
    assert numbers == list(range(1, len(numbers) + 1))
    return numbers


def edges(ears: Ears, kind: str) -> list[Heard]:
    """What was said of the limit, a repetition left out; the detector has alarms of its own."""
    said = {one.body["id"]: one for one in ears.of(Kind.EVENT, kind) if one.body["subject"] == ALARM}
    return list(said.values())


def gap_reasons(ears: Ears) -> set[Any]:
    return {gap.data["reason"] for gap in ears.of(Kind.GAP)}


async def test_what_happens_while_the_broker_is_not_yet_there_is_delivered_in_order_once_it_is(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        await broker.stop()
        async with started("run", cwd=tmp_path) as hub:
            await hub.says("broker is away")
            kept = await station.stored_more(6)
            assert journal_facts(station.journal)["acked"] == 0
            async with back(broker, hub, ears):
                await ears.until(lambda: kept in ears.sequences())
                assert await hub.ends(signal.SIGTERM) == 0
                await ears.until(lambda: ears.of(Kind.EVENT, "hub-stopped"))
        facts = journal_facts(station.journal)
    assert len(gapless(ears)) == facts["sequence"]
    assert (facts["acked"], facts["running"]) == (facts["last"], 0)
    assert gap_reasons(ears) == set()


async def test_a_broker_that_dies_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with started("run", cwd=tmp_path) as hub:
            async with hearing(settings(broker), ears, qos=0):
                await ears.until(lambda: len(ears.of(Kind.READING)) > 3)
                await broker.kill()
                await hub.says("broker is away")
            kept = await station.stored_more(6)
            async with back(broker, hub, ears):
                await ears.until(lambda: kept + 3 in ears.sequences())
                assert await hub.ends(signal.SIGTERM) == 0
                await ears.until(lambda: ears.of(Kind.EVENT, "hub-stopped"))
        assert len(gapless(ears)) == journal_facts(station.journal)["sequence"]
    assert [event.data["what"] for event in ears.of(Kind.EVENT) if event.body["source"] and "hub" in event.place] == [
        "started",
        "stopped",
    ]


async def test_a_hub_that_is_killed_loses_no_event_and_no_alarm(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with hearing(settings(broker)) as ears:
            station.vapour(160.0)
            async with started("run", cwd=tmp_path) as hub:
                await ears.until(lambda: edges(ears, "alarm-raised"))
                await station.stored_more(4)
                assert await hub.ends(signal.SIGKILL) == -signal.SIGKILL
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "lost")
            written = station.stored()
            async with started("run", cwd=tmp_path) as hub:
                await ears.until(lambda: gap_reasons(ears) == {"unclean-shutdown"})
                await station.stored_more(6)
                standing = understood((await retained(broker, f"{PREFIX}/alarm/{ALARM}"))[0], 0.0)
                station.vapour(0.0)
                await ears.until(lambda: ears.of(Kind.ALARM, ALARM)[-1].body == {})
                assert await retained(broker, f"{PREFIX}/alarm/{ALARM}") == []
                assert await hub.ends(signal.SIGTERM) == 0
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
        assert journal_facts(station.journal)["running"] == 0
    assert len(gapless(ears)) > written
    life = [standing, *edges(ears, "alarm-raised"), *edges(ears, "alarm-cleared")]
    assert len({one.data["alarm"] for one in life}) == 1, "an alarm that stands is not announced anew"
    assert [one.data["state"] for one in life] == ["unack-active", "unack-active", "normal"]
    assert len({one.body["boot"] for one in ears.of(Kind.READING)}) == 2


async def test_a_second_hub_on_the_same_state_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.EVENT, "device-ready")
            async with started("run", cwd=tmp_path) as second:
                assert await second.ends() == 75
            assert len(second.errors) == 1
            assert f"is in use by another hub (process {hub.pid})" in second.errors[0]
            await ears.until(lambda: len(ears.of(Kind.READING)) > 5)
            assert await hub.ends(signal.SIGTERM) == 0
        assert journal_facts(station.journal)["running"] == 0
    assert {status.data["state"] for status in ears.of(Kind.STATUS)} == {"online", "offline"}
    gapless(ears)


async def test_without_a_broker_the_hub_ends_at_once_and_keeps_what_it_has(tmp_path: Path) -> None:
    ears = Ears()
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker) as station:
        await broker.stop()
        async with started("run", cwd=tmp_path) as hub:
            await hub.says("broker is away")
            await station.stored_more(4)
            before = asyncio.get_running_loop().time()
            assert await hub.ends(signal.SIGTERM) == 0
            assert asyncio.get_running_loop().time() - before < QUICK
        facts = journal_facts(station.journal)
        assert (facts["acked"], facts["running"]) == (0, 0)
        await broker.start()
        async with hearing(settings(broker), ears), started("run", cwd=tmp_path) as hub:
            await ears.until(lambda: facts["sequence"] in ears.sequences())
            assert await hub.ends(signal.SIGTERM) == 0
    gapless(ears)
    assert gap_reasons(ears) == set()


async def test_mqtt_3_1_1_carries_everything_and_says_that_nothing_is_proved(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker, "3.1.1") as station:
        station.vapour(160.0)
        async with hearing(settings(broker)) as ears, started("run", cwd=tmp_path) as hub:
            await ears.first(Kind.ALARM, ALARM)
            assert await hub.ends(signal.SIGTERM) == 0
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert {one.data["delivery"] for one in ears.of(Kind.STATUS)} == {"unverified"}
    assert "as MQTT" not in "".join(hub.errors)
    gapless(ears)


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
            assert await hub.ends(signal.SIGTERM, seconds=10) == 1
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    assert journal_facts(tmp_path / "state" / "journal.sqlite")["running"] == 0
    assert any("Timeout" in line for line in hub.errors)


async def test_a_hub_whose_disk_takes_nothing_more_says_so_and_ends_when_told(tmp_path: Path) -> None:
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
        "from devicehub.cli.main import main\n"
        "sys.exit(main())\n"
    )
    async with (
        mosquitto(tmp_path) as broker,
        workstation(tmp_path, broker),
        hearing(settings(broker)) as ears,
        started("run", cwd=tmp_path, program=("-c", script)) as hub,
    ):
        await hub.says("not accepting events")
        assert await hub.ends(signal.SIGTERM, seconds=15) in {0, 75}
        assert not [line for line in hub.errors if "Traceback" in line]
        await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["state"] == "offline")
    gapless(ears)
