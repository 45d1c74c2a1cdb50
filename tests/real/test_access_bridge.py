"""The bridge recipe between the station's and the centre's: what goes out, what comes in, what does neither."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.message import Kind
from devicehub.publish.mqtt import Incoming, connect, subscribe
from tests.real.access_world import REAL, RECIPES, Secured, certificates, changed, secured, topic
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

ALARM = topic(Kind.ALARM, "lane1")
COMMAND = f"{REAL}/lane1/cmd/hub/identify"
STAY = {Kind.SCAN, Kind.FRAME}
OPEN = {"acl_file": "#acl_file"}


@pytest.fixture(scope="module")
def station_tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("station") / "made", "lane1")


@pytest.fixture(scope="module")
def centre_tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("centre") / "made", "bcp-north")


def bridge(centre: Secured, tls: Path) -> str:
    """The recipe, to this centre with the certificates in `tls`."""
    text = (RECIPES / "bridge.conf").read_text(encoding="utf-8")
    places = {"/etc/mosquitto/tls-centre/": f"{tls}/", "centre.example:8883": f"localhost:{centre.broker.port}"}
    return changed(text, places)


@asynccontextmanager
async def bridged(
    folder: Path, station_tls: Path, centre_tls: Path, changes: dict[str, str] | None = None
) -> AsyncIterator[tuple[Secured, Secured]]:
    """Station and centre, both as they ship."""
    async with (
        secured("centre", folder / "centre", centre_tls, changes) as centre,
        secured("station", folder / "station", station_tls, bridge=bridge(centre, centre_tls)) as station,
    ):
        yield station, centre


async def first(incoming: AsyncIterator[Incoming]) -> Incoming:
    async for one in incoming:
        return one
    raise AssertionError("the subscription ended")


async def test_an_alarm_of_the_station_stands_at_the_centre_and_its_deletion_too(
    tmp_path: Path, station_tls: Path, centre_tls: Path
) -> None:
    async with bridged(tmp_path, station_tls, centre_tls) as (station, centre), AsyncExitStack() as stack:
        live = await stack.enter_async_context(subscribe(centre.as_("soc"), ["devicehub/v1/+/+/alarm/#"]))
        hub = await stack.enter_async_context(connect(station.as_("lane1")))
        await hub.submit(message(ALARM, b"raised", retain=True))
        assert (await first(live))[:2] == (ALARM, b"raised")
        async with subscribe(centre.as_("soc"), [ALARM]) as late:
            assert await first(late) == Incoming(ALARM, b"raised", retain=True)
        await hub.submit(message(ALARM, b"", retain=True))
        # A bridge that has just come up may send what stands a second time: at least once, and in order.
        while (again := await first(live)).payload == b"raised":
            assert again.topic == ALARM
        assert again[:2] == (ALARM, b"")
        async with subscribe(centre.as_("soc"), [ALARM, f"{REAL}/lane1/status"]) as later:
            await hub.submit(message(f"{REAL}/lane1/status"))
            assert (await first(later)).topic == f"{REAL}/lane1/status"


async def test_a_command_and_a_receipt_of_the_centre_reach_the_hub(
    tmp_path: Path, station_tls: Path, centre_tls: Path
) -> None:
    async with bridged(tmp_path, station_tls, centre_tls) as (station, centre), AsyncExitStack() as stack:
        await stands(station, centre)
        own = [f"{REAL}/lane1/cmd/#", f"{REAL}/lane1/receipt/+"]
        at_hub = await stack.enter_async_context(subscribe(station.as_("lane1"), own))
        technician = await stack.enter_async_context(connect(centre.as_("technician")))
        await technician.submit(message(COMMAND, b"do"))
        assert (await first(at_hub))[:2] == (COMMAND, b"do")
        consumer = await stack.enter_async_context(connect(centre.as_("consumer")))
        await consumer.submit(message(f"{REAL}/lane1/receipt/consumer", b"7", retain=True))
        assert (await first(at_hub))[:2] == (f"{REAL}/lane1/receipt/consumer", b"7")


async def stands(station: Secured, centre: Secured) -> None:
    """Wait until the bridge stands: it subscribes before it sends."""
    async with subscribe(centre.as_("soc"), [f"{REAL}/lane1/status"]) as incoming, connect(station.as_("lane1")) as hub:
        await hub.submit(message(f"{REAL}/lane1/status", retain=True))
        await first(incoming)


async def test_every_kind_goes_out_but_scans_and_frames(tmp_path: Path, station_tls: Path, centre_tls: Path) -> None:
    """With a centre that would take everything, so that it is the bridge that keeps them back."""
    async with (
        bridged(tmp_path, station_tls, centre_tls, OPEN) as (station, centre),
        subscribe(centre.as_("soc"), ["devicehub/#", "devicehub-sim/#"]) as incoming,
        connect(station.as_("lane1")) as hub,
    ):
        ordered = sorted(Kind, key=lambda kind: kind not in STAY)
        for kind in ordered:
            await hub.submit(message(topic(kind, "lane1")))
            await hub.submit(message(topic(kind, "lane1", exercise=True)))
        await hub.submit(message(f"{REAL}/lane1/res/hub/reload"))
        seen: set[str] = set()
        async for one in incoming:
            seen.add(one.topic)
            if "/res/" in one.topic:
                break
    assert seen - {f"{REAL}/lane1/res/hub/reload"} == {topic(kind, "lane1") for kind in set(Kind) - STAY}


async def test_nothing_but_commands_and_receipts_comes_in(tmp_path: Path, station_tls: Path, centre_tls: Path) -> None:
    """A centre without rules tries to forge an alarm of the station."""
    async with bridged(tmp_path, station_tls, centre_tls, OPEN) as (station, centre), AsyncExitStack() as stack:
        await stands(station, centre)
        at_station = await stack.enter_async_context(subscribe(station.as_("soc"), ["#"]))
        at_hub = await stack.enter_async_context(subscribe(station.as_("lane1"), ["#"]))
        intruder = await stack.enter_async_context(connect(centre.as_("soc")))
        for forged in (ALARM, topic(Kind.EVENT, "lane1"), f"{REAL}/lane1/event/x"):
            await intruder.submit(message(forged, b"forged", retain=True))
        await intruder.submit(message(COMMAND, b"last"))
        async for one in at_hub:
            if one.payload == b"last":
                break
        async with connect(station.as_("lane1")) as hub:
            await hub.submit(message(f"{REAL}/lane1/status", b"marker"))
        async for one in at_station:
            assert one.payload != b"forged"
            if one.payload == b"marker":
                break


async def test_what_is_sent_while_the_centre_is_away_arrives_once_it_is_back(
    tmp_path: Path, station_tls: Path, centre_tls: Path
) -> None:
    async with bridged(tmp_path, station_tls, centre_tls) as (station, centre):
        await stands(station, centre)
        await centre.broker.kill()
        async with connect(station.as_("lane1")) as hub:
            for number in range(1500):
                await hub.submit(message(f"{REAL}/lane1/alarm/trace-1/number-{number}", retain=True))
        await centre.broker.start()
        seen: set[str] = set()
        async with subscribe(centre.as_("soc"), [f"{REAL}/+/alarm/#"]) as incoming:
            async for one in incoming:
                seen.add(one.topic)
                if len(seen) == 1500:
                    break


async def test_a_centre_that_the_bridge_cannot_verify_gets_nothing(
    tmp_path: Path, station_tls: Path, centre_tls: Path
) -> None:
    async with secured("centre", tmp_path / "centre", centre_tls) as centre:
        text = bridge(centre, centre_tls).replace(f"{centre_tls}/authority.pem", f"{station_tls}/authority.pem")
        async with (
            secured("station", tmp_path / "station", station_tls, bridge=text) as station,
            connect(station.as_("lane1")) as hub,
        ):
            await hub.submit(message(ALARM, b"raised", retain=True))
            while "certificate verify failed" not in station.log.read_text():
                await Clock().sleep(0.01)
        async with connect(centre.as_("bcp-north")) as publisher:
            await publisher.submit(message(f"{REAL}/lane2/alarm/trace-1/marker", retain=True))
        async with subscribe(centre.as_("soc"), ["#"]) as incoming:
            assert (await first(incoming)).topic == f"{REAL}/lane2/alarm/trace-1/marker"
