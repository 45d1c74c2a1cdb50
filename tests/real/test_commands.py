"""Commands to a hub process through a real Mosquitto, by requesters of MQTT 5 and 3.1.1, with and without access list."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryRefusedError
from devicehub.model.instant import instant
from devicehub.model.message import Kind
from devicehub.publish.mqtt import Incoming, connect
from devicehub.publish.port import Publisher
from devicehub.publish.settings import BrokerSettings, Version
from tests.contract import violations
from tests.patience import PATIENCE
from tests.real.access_world import ROOT, certificates, secured
from tests.real.hub_process import HubProcess, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import VERSIONS, message, settings

pytestmark = pytest.mark.real

PREFIX = "devicehub-sim/v1/bcp-north/lane1"
CAMERA = """
[[device]]
id = "camera"
driver = "thermal.gy_mcu90640"
port = "sim:"
control = true
"""


def configured(folder: Path, mqtt: str) -> Path:
    path = folder / "hub.toml"
    hub = '[hub]\nsite = "bcp-north"\nnode = "lane1"\nexercise = true\nstate = "state"\n'
    path.write_text(f"{hub}[mqtt]\n{mqtt}{CAMERA}")
    return path


@asynccontextmanager
async def hub(folder: Path, mqtt: str) -> AsyncIterator[HubProcess]:
    async with started("run", "--config", str(configured(folder, mqtt)), cwd=folder) as process:
        await process.says("device camera is ready")
        await process.says("broker connected")
        yield process


@dataclass
class Requester:
    """Sends commands and hears answers and records, each held against the published schema."""

    publisher: Publisher
    heard: list[tuple[Incoming, dict[str, Any]]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self) -> None:
        async for one in self.publisher.incoming():
            kind = Kind(one.topic.split("/")[4])
            assert violations(kind, one.payload) == []
            self.heard.append((one, json.loads(one.payload)["data"]))
            self._news.set()

    async def command(self, address: str, name: str, *, seconds: float = 30, **wishes: Any) -> None:
        args = wishes.pop("args", {})
        deadline = instant(Clock().utc() + seconds)
        body = {"id": name, "issuer": "op-1147", "deadline": deadline, "args": args}
        out = message(f"{PREFIX}/cmd/{address}", json.dumps(body).encode(), retain=wishes.pop("retain", False))
        await self.publisher.submit(structs.replace(out, **wishes))

    async def ends(self, name: str, most: int = 2) -> list[tuple[Incoming, dict[str, Any]]]:
        """The first answers to a command, in order."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self._of(name, Kind.RES)) < most:
                self._news.clear()
                await self._news.wait()
        return found

    async def records(self, name: str, most: int) -> list[str]:
        """The states on record of a command."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self._of(name, Kind.EVENT)) < most:
                self._news.clear()
                await self._news.wait()
        return [data["state"] for _, data in found]

    def _of(self, name: str, kind: Kind) -> list[tuple[Incoming, dict[str, Any]]]:
        return [(one, data) for one, data in self.heard if data["command"] == name and f"/{kind}/" in one.topic]


@asynccontextmanager
async def requester(how: BrokerSettings) -> AsyncIterator[Requester]:
    async with connect(how) as publisher:
        await publisher.subscribe([f"{PREFIX}/res/#", f"{PREFIX}/event/command"])
        one = Requester(publisher)
        hearing = asyncio.create_task(one.hear())
        yield one
        hearing.cancel()
        done = await asyncio.gather(hearing, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError), done


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_requester_of_either_version_commands_a_device_and_is_answered(
    tmp_path: Path, version: Version
) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        hub(tmp_path, f'url = "mqtt://127.0.0.1:{broker.port}"\n'),
        requester(settings(broker, version)) as one,
    ):
        mine = f"{PREFIX}/res/op-1147"
        await one.command(
            "camera/set-emissivity", "c-1", args={"emissivity": 0.9}, response_topic=mine, correlation=b"\x00\xffme"
        )
        (accepted, _), (done, data) = await one.ends("c-1")
        assert (data["state"], data["result"]) == ("done", {"emissivity": 0.9})
        modern = version is Version.V5
        assert {accepted.topic, done.topic} == {mine if modern else f"{PREFIX}/res/camera/set-emissivity"}
        assert {accepted.correlation, done.correlation} == {b"\x00\xffme" if modern else b""}
        assert await one.records("c-1", 2) == ["accepted", "done"]
        await one.command("hub/snapshot", "c-2", args={"device": "camera"})
        (_, (_, snapshot)) = await one.ends("c-2")
        assert (tmp_path / "state" / "evidence-exercise" / snapshot["result"]["dataref"]).exists()


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_late_or_kept_is_refused_and_on_record(tmp_path: Path, version: Version) -> None:
    async with mosquitto(tmp_path) as broker, requester(settings(broker, version)) as one:
        await one.command("camera/read-emissivity", "kept", retain=True)
        async with hub(tmp_path, f'url = "mqtt://127.0.0.1:{broker.port}"\n'):
            await one.command("camera/read-emissivity", "late", seconds=-1)
            await one.command("camera/read-emissivity", "early", seconds=4000)
            for name, why in (("kept", "retained"), ("late", "has passed"), ("early", "more than 1 h")):
                ((_, data),) = await one.ends(name, 1)
                assert (data["state"], why in data["why"]) == ("rejected", True)
                assert await one.records(name, 1) == ["rejected"]


async def test_who_may_not_command_does_not_and_who_may_does(tmp_path: Path) -> None:
    """By the access list that ships: `training` commands exercises, `soc` commands nothing."""
    tls = certificates(tmp_path / "made", "lane1")
    async with secured("station", tmp_path / "broker", tls) as station:
        mqtt = f'url = "mqtts://localhost:{station.broker.port}"\nca = "{tls / "authority.pem"}"\n'
        mqtt += f'certificate = "{tls / "lane1.pem"}"\nkey = "{tls / "lane1.key"}"\n'
        async with hub(tmp_path, mqtt), requester(station.as_("training")) as one, connect(station.as_("soc")) as soc:
            intruder = Requester(soc)
            for address in ("camera/set-emissivity", "hub/reload", "hub/ack"):
                with pytest.raises(DeliveryRefusedError, match="Not authorized"):
                    await intruder.command(address, "intruder")
            await one.command("camera/read-emissivity", "c-1")
            (_, (_, data)) = await one.ends("c-1")
            assert data["state"] == "done"
            assert {data["command"] for _, data in one.heard} == {"c-1"}


async def test_a_command_is_not_done_again_by_a_hub_that_was_killed(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, requester(settings(broker)) as one:
        url = f'url = "mqtt://127.0.0.1:{broker.port}"\n'
        async with hub(tmp_path, url) as process:
            await one.command("hub/identify", "c-1", seconds=3000)
            await one.ends("c-1")
            await process.close()
        async with hub(tmp_path, url):
            await one.command("hub/identify", "c-1", seconds=3000)
            async with asyncio.timeout(PATIENCE):
                while not any(data.get("why") == "given before" for _, data in one.heard):
                    await Clock().sleep(0.05)
        answers = [data for out, data in one.heard if "/res/" in out.topic]
        last = [data["state"] for data in answers if data.get("why") == "given before"]
        assert last == ["done"]


async def sent(folder: Path, *words: str) -> tuple[int, str, str]:
    """`devicehub send` with the hub's own configuration: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devicehub", "send", *words, "--config", str(folder / "hub.toml")),
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        out, errors = await process.communicate()
    return process.returncode or 0, out.decode(), errors.decode()


async def test_the_command_line_sends_waits_and_says_what_became_of_it(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, requester(settings(broker)) as one:
        async with hub(tmp_path, f'url = "mqtt://127.0.0.1:{broker.port}"\n'):
            code, out, _ = await sent(
                tmp_path, "camera", "set-emissivity", "emissivity=0.8", "--issuer", "op-1147", "--reason", "plastic"
            )
            accepted, done = out.splitlines()
            assert (code, done) == (0, "done  emissivity=0.8")
            assert accepted in {"accepted", "accepted  the hub's clock is not synchronised"}
            code, out, _ = await sent(tmp_path, "camera", "set-emissivity", "emissivity=high")
            assert (code, out) == (1, "rejected  option 'emissivity' must be float, not 'high'\n")
            code, out, _ = await sent(tmp_path, "hub", "identify", "--json")
            assert (code, [json.loads(line)["state"] for line in out.splitlines()]) == (0, ["accepted", "done"])
            records = [data for one_, data in one.heard if "/event/" in one_.topic]
            assert (records[0]["issuer"], records[0]["reason"]) == ("op-1147", "plastic")
        code, _, errors = await sent(tmp_path, "hub", "identify", "--deadline", "0.1")
        assert (code, "did not answer in" in errors) == (69, True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("Hub", "identify"), "'Hub' is no target or verb"),
        (("hub", "identify", "--deadline", "4000"), "--deadline 4000: at most 3600 s"),
        (("hub", "identify", "--node", "lane1"), "--node lane1: must be SITE/NODE"),
        (("hub", "identify", "a=1", "a=2"), "argument a is given twice"),
        (("hub", "identify", "x"), "'x' must be NAME=VALUE"),
    ],
)
async def test_a_wrong_command_line_is_told_before_anything_is_sent(
    tmp_path: Path, words: tuple[str, ...], error: str
) -> None:
    configured(tmp_path, "")
    code, _, errors = await sent(tmp_path, *words)
    assert (code, error in errors) == (2, True), errors
