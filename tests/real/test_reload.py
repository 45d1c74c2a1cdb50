"""SIGHUP to `devicehub run`: a configuration read again takes effect device by device, and a bad one not at all."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.real.hearing import Ears, Heard, hearing
from tests.real.hub_process import HubProcess, started, until
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import workstation

pytestmark = pytest.mark.real

RELOADS = 50
SIMULATED = (
    ("sniffer", "trace.aci_pids3"),
    ("seeker", "thermal.seek_compact"),
    ("pictures", "thermal.flir_rjpeg"),
    ("reader", "scanner.zebra_ssi"),
)


@dataclass
class Bench:
    """A hub that runs by a file, and what it says."""

    file: Path
    hub: HubProcess
    ears: Ears
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.file.read_text()

    def hangup(self) -> None:
        os.kill(self.hub.pid, signal.SIGHUP)

    def replace(self, text: str) -> None:
        """The whole file at once: whoever reads it finds the one or the other."""
        fresh = self.file.with_name("fresh.toml")
        fresh.write_text(text)
        fresh.rename(self.file)

    async def reload(self, text: str, word: str = "hub-reloaded") -> Heard:
        """Write the file anew and have it read; the event that answers."""
        self.replace(text)
        return await self.answer(word)

    async def answer(self, word: str) -> Heard:
        """The event that answers a hangup."""
        before = len(self.ears.of(Kind.EVENT, word))
        self.hangup()
        await self.ears.until(lambda: len(self.ears.of(Kind.EVENT, word)) > before)
        return self.ears.of(Kind.EVENT, word)[-1]

    async def goes_on(self, *devices: str) -> None:
        """More readings of each device come."""
        places = [f"{device}/voc" for device in devices]
        before = {place: len(self.ears.of(Kind.READING, place)) for place in places}
        await self.ears.until(lambda: all(len(self.ears.of(Kind.READING, one)) > before[one] + 1 for one in places))

    def last(self, kind: Kind, place: str) -> Heard:
        return self.ears.of(kind, place)[-1]


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    """Three vapour detectors that everybody hears."""
    async with mosquitto(folder) as broker, workstation(folder, broker), hearing(settings(broker)) as ears:
        async with started("run", cwd=folder) as hub:
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
            yield Bench(folder / "devicehub.toml", hub, ears)
            assert await hub.ends(signal.SIGTERM) == 0
        assert not [line for line in hub.errors if "Traceback" in line]


def without(text: str, device: str) -> str:
    """A configuration without one of its devices."""
    head, *tables = text.split("[[")
    return "[[".join([head, *(one for one in tables if f'id = "{device}"' not in one)])


async def test_what_is_added_removed_and_changed_takes_effect_and_the_others_go_on(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        fresh = without(here.text, "vapour-3").replace("[mqtt]", "health_s = 1\n[mqtt]")
        fresh = fresh.replace('id = "vapour-2"\n', 'id = "vapour-2"\noptions = {}\nfault = "drop=0.01"\n')
        event = await here.reload(fresh + '[[limit]]\ndevice = "vapour-2"\nchannel = "voc"\nlow = 5.0\n')
        assert event.data["why"] == (
            "devices removed: vapour-3; devices restarted: vapour-2; limits added: vapour-2/voc-low; set hub.health_s"
        )
        await here.ears.until(lambda: len(here.ears.of(Kind.EVENT, "device-ready")) == 4)
        await here.ears.until(lambda: here.last(Kind.DESCRIBE, "vapour-3").body == {})
        await here.goes_on("vapour-1")
        await here.ears.until(lambda: len(here.ears.of(Kind.HEALTH)) > 2)
        info = here.last(Kind.INFO, "").data
        assert info["devices"] == ["vapour-1", "vapour-2"]
        assert info["config_digest"] != here.ears.of(Kind.INFO)[0].data["config_digest"]
        assert here.last(Kind.READING, "vapour-2/voc").data["limits"] == {"low": 5.0}
    away = [one.data for one in here.ears.of(Kind.EVENT, "device-offline")]
    assert {one["device"]: one["why"] for one in away} == {
        "vapour-2": "its configuration was changed",
        "vapour-3": "it is no longer configured",
    }
    missing = [gap.place for gap in here.ears.of(Kind.GAP) if gap.data["reason"] != "faults"]
    assert set(missing) == {"vapour-2", "vapour-3"}


async def test_a_bad_file_changes_nothing_and_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        bad = (
            without(here.text, "vapour-3").replace("high = 20.0", "hihg = 20.0")
            + '[[device]]\nid = "hub"\ndriver = "trace.aci_pids3"\n'
        )
        failed = await here.reload(bad, "hub-reload-failed")
        lines = failed.data["why"].splitlines()
        assert [line.partition("  ")[0].rpartition("/")[2] for line in lines] == [
            "devicehub.toml:20:1",
            "devicehub.toml:23:1",
        ]
        assert "limit[0].hihg: unknown key; did you mean 'high'?" in lines[0]
        assert 'device[2].id = "hub": the hub itself goes by that name' in lines[1]
        await here.hub.says("configuration not taken: devicehub.toml:23:1")
        said = [json.loads(line)["message"] for line in here.hub.errors if line.startswith("{")]
        assert [line for line in said if "not taken" in line] == [f"configuration not taken: {line}" for line in lines]
        await here.goes_on("vapour-1", "vapour-2", "vapour-3")
        good = await here.reload(here.text)
        assert good.data["why"] == "nothing changed that runs"
    assert len(here.ears.of(Kind.EVENT, "device-ready")) == 3


async def test_what_needs_a_restart_is_named_and_nothing_of_the_file_is_applied(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        fresh = (
            without(here.text, "vapour-3").replace('site = "s"', 'site = "t"').replace("[mqtt]", "[mqtt]\nwindow = 7")
        )
        failed = await here.reload(fresh, "hub-reload-failed")
        assert failed.data["why"].endswith("nothing is changed, since only a restart can change hub.site, mqtt.window")
        await here.goes_on("vapour-3")
    assert not here.ears.of(Kind.EVENT, "hub-reloaded")


@pytest.mark.parametrize("trouble", ["gone", "folder", "binary", "secret"])
async def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, trouble: str) -> None:
    async with bench(tmp_path) as here:
        words = {
            "gone": "no such file",
            "folder": "cannot be read: Is a directory",
            "binary": "not UTF-8 text",
            "secret": "secret",
        }
        if trouble == "secret":
            here.file.write_text(here.text + f'[scan.key]\nfile = "{tmp_path}/no-key"\n')
        else:
            here.file.unlink()
        if trouble == "folder":
            here.file.mkdir()
        elif trouble == "binary":
            here.file.write_bytes(b"[hub]\nsite = \xff\n")
        failed = await here.answer("hub-reload-failed")
        assert words[trouble] in failed.data["why"]
        await here.goes_on("vapour-1", "vapour-2", "vapour-3")
    assert len(here.ears.of(Kind.EVENT, "device-ready")) == 3


def simulated(folder: Path, turn: int, url: str) -> str:
    """A configuration in which everything but the first device is another one at every turn."""
    devices = "".join(
        f'[[device]]\nid = "{name}"\ndriver = "{driver}"\nport = "sim:"\nfault = "drop=0.0{turn % 9}"\n'
        for name, driver in SIMULATED
    )
    extra = f'[[device]]\nid = "extra-{turn}"\ndriver = "trace.aci_pids3"\nport = "sim:"\n' if turn % 2 else ""
    return (
        f'[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "{folder / "state"}"\nhealth_s = {1 + turn % 3}\n'
        f'[mqtt]\nurl = "{url}"\n'
        '[[device]]\nid = "steady"\ndriver = "radiation.atom_fast"\nport = "sim:"\n' + devices + extra
    )


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def test_fifty_reloads_leak_neither_threads_nor_descriptors(tmp_path: Path) -> None:
    """Every one restarts a serial device, a USB camera, a watch folder and a scanner, and one device comes or goes."""
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        file, url = tmp_path / "devicehub.toml", f"mqtt://{broker.host}:{broker.port}"
        file.write_text(simulated(tmp_path, 0, url))
        async with started("run", cwd=tmp_path) as hub:
            here = Bench(file, hub, ears)

            async def settled() -> None:
                """All devices are open again."""
                names = {name for name, _ in SIMULATED}
                await ears.until(lambda: all(ears.of(Kind.DEVICE, name)[-1].data["state"] == "ready" for name in names))

            await ears.until(lambda: {one.place for one in ears.of(Kind.DEVICE)} >= {name for name, _ in SIMULATED})
            await settled()
            held: list[tuple[int, int]] = []
            for turn in range(1, RELOADS + 1):
                await here.reload(simulated(tmp_path, turn, url))
                if turn in {4, RELOADS}:
                    await settled()
                    held.append((descriptors(hub.pid), threads(hub.pid)))
            before = held[0]
            await until(lambda: descriptors(hub.pid) <= before[0] and threads(hub.pid) <= before[1])
            assert await hub.ends(signal.SIGTERM) == 0
        assert not [line for line in hub.errors if "Traceback" in line]
    assert len(ears.of(Kind.EVENT, "hub-reloaded")) == RELOADS
    assert len([one for one in ears.of(Kind.EVENT, "device-ready") if one.data["device"] == "steady"]) == 1
    assert not [gap for gap in ears.of(Kind.GAP) if gap.place == "steady"]


async def test_hangups_in_a_row_are_answered_and_end_with_what_is_written_last(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        for number in range(20):
            here.replace(here.text.replace("[mqtt]", f"health_s = {number + 1}\n[mqtt]"))
            here.hangup()
        here.replace(without(here.text, "vapour-3"))
        here.hangup()
        await here.ears.until(lambda: here.last(Kind.INFO, "").data["devices"] == ["vapour-1", "vapour-2"])
        await here.goes_on("vapour-1")
    assert not here.ears.of(Kind.EVENT, "hub-reload-failed")
