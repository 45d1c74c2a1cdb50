"""The embedded broker: Mosquitto and amqtt as child processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError
from devicehub.publish.broker import EmbeddedBroker, Kind
from devicehub.publish.mqtt import connect, subscribe
from devicehub.publish.port import Outgoing
from devicehub.publish.settings import BrokerSettings, Version
from tests.patience import PATIENCE
from tests.programs import needed, needed_package
from tests.real.mosquitto import free_port

pytestmark = pytest.mark.real


@pytest.fixture(params=["mosquitto", "amqtt"])
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "mosquitto":
        needed("mosquitto")
        return "mosquitto"
    needed_package("amqtt")
    return "amqtt"


def embedded(folder: Path, kind: Kind, port: int = 0) -> EmbeddedBroker:
    return EmbeddedBroker(folder, clock=Clock(), kind=kind, port=port)


def settings(broker: EmbeddedBroker) -> BrokerSettings:
    return BrokerSettings(host=broker.host, port=broker.port, version=broker.version)


def message(topic: str, payload: bytes) -> Outgoing:
    return Outgoing(topic, payload, 1, True, None, "io.devicehub.status", "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4", "")  # noqa: FBT003 - the standard library has it so


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def listening(port: int) -> list[str]:
    tables = [Path(f"/proc/net/{table}").read_text().splitlines() for table in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    return [row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"]


async def gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while exists(pid):
            await Clock().sleep(0.01)


async def test_it_delivers_retained_messages_and_is_gone_afterwards(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path / "a folder", kind) as broker:
        async with connect(settings(broker)) as publisher:
            assert publisher.delivery == ("broker-acked" if kind == "mosquitto" else "unverified")
            await publisher.submit(message("a/b", b"1"))
        async with subscribe(settings(broker), ["a/#"]) as incoming:
            assert (await anext(incoming))[:3] == ("a/b", b"1", True)
        pid = broker.pid
    assert not exists(pid)


async def test_the_banner_says_where_it_is_and_what_it_cannot_do(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as broker:
        assert f"127.0.0.1:{broker.port}" in broker.banner
        assert ("DEVELOPMENT ONLY" in broker.banner) == (kind == "amqtt")


async def test_it_listens_on_loopback_only(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as broker:
        assert listening(broker.port) == [f"0100007F:{broker.port:04X}"]


async def test_amqtt_is_found_out_to_know_3_1_1_only(tmp_path: Path) -> None:
    needed_package("amqtt")
    async with embedded(tmp_path, "amqtt") as broker:
        asking = BrokerSettings(host=broker.host, port=broker.port, version=Version.AUTO)
        async with connect(asking) as publisher:
            assert publisher.delivery == "unverified"
            await publisher.submit(message("a", b"1"))


async def test_a_crash_is_noticed_and_reported(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as broker:
        os.kill(broker.pid, signal.SIGKILL)
        with pytest.raises(DeliveryError, match=rf"the embedded broker \({kind}\) was killed \(signal 9\): "):
            await asyncio.wait_for(broker.ended(), PATIENCE)


async def test_after_a_crash_it_is_started_again_on_its_port_with_what_it_kept(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as broker:
        port = broker.port
        os.kill(broker.pid, signal.SIGKILL)
        with pytest.raises(DeliveryError):
            await asyncio.wait_for(broker.ended(), PATIENCE)
        await broker.again()
        assert broker.port == port
        async with subscribe(settings(broker), ["a"]) as incoming, connect(settings(broker)) as publisher:
            await publisher.submit(message("a", b"1"))
            assert (await asyncio.wait_for(anext(incoming), PATIENCE)).payload == b"1"
        again = broker.pid
    await gone(again)


async def test_while_its_port_is_taken_it_does_not_start_again_and_says_so(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as broker:
        os.kill(broker.pid, signal.SIGKILL)
        with pytest.raises(DeliveryError):
            await asyncio.wait_for(broker.ended(), PATIENCE)
        async with await asyncio.start_server(lambda *_: None, broker.host, broker.port):
            with pytest.raises(DeliveryError, match=f"port {broker.port} of 127.0.0.1 is taken"):
                await broker.again()
        await broker.again()


async def test_a_taken_port_is_told_as_such(tmp_path: Path, kind: Kind) -> None:
    async with embedded(tmp_path, kind) as first:
        with pytest.raises(DeliveryError, match=f"port {first.port} of 127.0.0.1 is taken"):
            await embedded(tmp_path / "second", kind, first.port).__aenter__()


async def test_mosquitto_keeps_retained_messages_over_a_restart_on_the_same_port(tmp_path: Path) -> None:
    needed("mosquitto")
    port = free_port()
    async with embedded(tmp_path, "mosquitto", port) as broker, connect(settings(broker)) as publisher:
        await publisher.submit(message("a/b", b"kept"))
    async with embedded(tmp_path, "mosquitto", port) as broker, subscribe(settings(broker), ["#"]) as incoming:
        assert (await asyncio.wait_for(anext(incoming), PATIENCE)).payload == b"kept"


async def test_a_broker_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    needed("mosquitto")
    (tmp_path / "mosquitto.db").write_bytes(b"this is no database" * 20)
    words = r"the embedded broker \(mosquitto\) ended with code \d+: .*persist"
    with pytest.raises(DeliveryError, match=words) as caught:
        await embedded(tmp_path, "mosquitto").__aenter__()
    assert "Warning" not in str(caught.value)


HUB = """
import asyncio, sys
from pathlib import Path
from devicehub.clock import Clock
from devicehub.publish.broker import EmbeddedBroker

async def main():
    async with EmbeddedBroker(Path(sys.argv[1]), clock=Clock(), kind=sys.argv[2]) as broker:
        print(broker.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux")
async def test_a_killed_hub_leaves_no_broker_behind(tmp_path: Path, kind: Kind) -> None:
    hub = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HUB, str(tmp_path), kind, stdout=asyncio.subprocess.PIPE
    )
    assert hub.stdout is not None
    pid = int(await hub.stdout.readline())
    assert exists(pid)
    hub.kill()
    await hub.wait()
    await gone(pid)
