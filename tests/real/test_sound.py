"""Alarms are heard at the workstation: by a program that is really started, cut off, and found to fail."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from devicehub.clock import Clock
from devicehub.model.alarm import AlarmCategory, Priority
from devicehub.model.message import Kind
from devicehub.model.payload import AlarmData
from devicehub.publish.port import Outgoing
from devicehub.sound import Sounder, Sounding
from devicehub.view import View
from tests.real.hearing import hearing
from tests.real.hub_process import started, until
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.standing import ALARM

pytestmark = pytest.mark.real

PLACE = "devicehub-sim/v1/s/n/alarm/"
CRITICAL = replace(ALARM, priority=Priority.CRITICAL)
FAULT = replace(ALARM, category=AlarmCategory.DEVICE)
AT_START, DETECTION, TROUBLE = "low-330.wav", "critical-880.wav", "high-330.wav"
PLAYER = "import os, sys\nopen(sys.argv[1], 'a').write(f'{os.getpid()} {os.path.basename(sys.argv[2])}\\n')\n"
FOR_EVER = PLAYER + "if not sys.argv[2].endswith('low-330.wav'): __import__('signal').pause()\n"


@dataclass
class Room:
    """Where alarms are heard: what was played, and what was told of it."""

    view: View
    log: Path
    told: list[str] = field(default_factory=list)

    def played(self) -> list[tuple[int, str]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(int(pid), name) for pid, name in (line.split() for line in lines)]

    def heard(self) -> list[str]:
        return [name for _, name in self.played()]

    def stands(self, point: str, data: AlarmData | None) -> None:
        payload = b"" if data is None else msgspec.json.encode({"data": data})
        self.view.post(
            Outgoing(
                topic=PLACE + point,
                payload=payload,
                qos=1,
                retain=True,
                expiry=None,
                type="alarm",
                id="1",
                subject=point,
            )
        )


@asynccontextmanager
async def room(folder: Path, *player: str, script: str = "") -> AsyncIterator[Room]:
    (folder / "sounds").mkdir()
    one = Room(View(), folder / "played")
    words = player or (sys.executable, "-c", script, str(one.log))
    sounding = Sounding(player=words, least=Priority.LOW, place=PLACE, folder=folder / "sounds", told=one.told.append)
    task = asyncio.create_task(Sounder(sounding, one.view, Clock()).run())
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_alarm_is_heard_until_somebody_acknowledges_it(tmp_path: Path) -> None:
    async with room(tmp_path, script=PLAYER) as one:
        await until(lambda: one.heard() == [AT_START])
        one.stands("trace-1/tnt", CRITICAL)
        await until(lambda: one.heard() == [AT_START, DETECTION])
        one.stands("trace-1/tnt", replace(CRITICAL, acknowledged=True))
        one.stands("trace-1/lost", FAULT)
        await until(lambda: one.heard() == [AT_START, DETECTION, TROUBLE])
        assert set(one.told) == {"ok"}


async def test_what_is_heard_is_cut_off_by_whoever_silences_it(tmp_path: Path) -> None:
    async with room(tmp_path, script=FOR_EVER) as one:
        one.stands("trace-1/tnt", CRITICAL)
        await until(lambda: DETECTION in one.heard())
        pid = next(pid for pid, name in one.played() if name == DETECTION)
        os.kill(pid, 0)
        one.stands("trace-1/tnt", None)
        await until(lambda: not Path(f"/proc/{pid}").exists())


async def test_a_more_urgent_alarm_takes_the_place_of_what_is_heard(tmp_path: Path) -> None:
    async with room(tmp_path, script=FOR_EVER) as one:
        one.stands("trace-1/lost", FAULT)
        await until(lambda: TROUBLE in one.heard())
        one.stands("trace-1/tnt", CRITICAL)
        await until(lambda: one.heard()[-1] == DETECTION)


async def test_a_program_that_is_not_there_or_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    async with room(tmp_path, str(tmp_path / "no-such-player")) as one:
        await until(lambda: len(one.told) == 1)
        assert one.told[0].endswith("no-such-player: No such file or directory")
    (tmp_path / "sounds").rename(tmp_path / "before")
    async with room(tmp_path, script="import sys\nprint('first', file=sys.stderr)\nsys.exit('no sound card')\n") as one:
        await until(lambda: len(one.told) == 1)
        assert one.told[0].endswith(": no sound card")


STATION = """
[hub]
site = "s"
node = "n"
exercise = true
state = "state"
health_s = 1.0

[mqtt]
url = "mqtt://127.0.0.1:{port}"

[sound]
player = {player}
least = "high"

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.01
priority = "high"
"""


async def test_a_hub_sounds_its_alarms_without_a_page(tmp_path: Path) -> None:
    log = tmp_path / "played"
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        player = [sys.executable, "-c", PLAYER, str(log)]
        (tmp_path / "devicehub.toml").write_text(
            STATION.format(port=broker.port, player=msgspec.json.encode(player).decode())
        )
        async with started("run", cwd=tmp_path):
            await ears.first(Kind.EVENT, "alarm-raised")
            await until(lambda: log.exists() and "high-880.wav" in log.read_text())
            await ears.until(lambda: any(one.data["sound"] == "ok" for one in ears.of(Kind.HEALTH)))


async def test_a_hub_whose_alarms_nobody_hears_says_so_in_its_health_and_as_an_event(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        (tmp_path / "devicehub.toml").write_text(STATION.format(port=broker.port, player='["/no/such/player"]'))
        async with started("run", cwd=tmp_path):
            event = await ears.first(Kind.EVENT, "hub-sound-failed")
            assert "/no/such/player" in event.data["why"]
            await ears.until(lambda: any("/no/such/player" in one.data["sound"] for one in ears.of(Kind.HEALTH)))
