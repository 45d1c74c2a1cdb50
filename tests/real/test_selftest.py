"""The self-test at a real Mosquitto: with and without the right to read, with and without persistence."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from devicehub.deliver.selftest import WITHIN
from devicehub.model.errors import DeliveryError
from devicehub.publish.broker import EmbeddedBroker
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Publisher
from devicehub.publish.settings import BrokerSettings, Version
from devicehub.publish.topics import Topics
from tests.programs import needed_package
from tests.real.access_world import SITE, certificates, secured
from tests.real.hub_process import until
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import VERSIONS, message, settings
from tests.unit.selftests import Station

pytestmark = pytest.mark.real

TOPICS = Topics("s", "n", exercise=True)
AUTOSAVE = ("autosave_interval 1",)


def station_at(broker: Mosquitto) -> Station:
    will = message(TOPICS.status, b'{"id":"will"}', retain=True)
    return Station(partial(connect, settings(broker), will), TOPICS)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_broker_that_allows_it_brings_the_status_back(tmp_path: Path, version: Version) -> None:
    async with mosquitto(tmp_path) as broker:
        station = Station(partial(connect, replace(settings(broker), version=version)), TOPICS)
        async with station.connected():
            await until(lambda: station.gauges.echo is not None, WITHIN)
    assert station.remarks == []


async def test_the_access_list_that_ships_lets_the_heartbeat_through_and_without_that_line_it_is_told(
    tmp_path: Path,
) -> None:
    tls = certificates(tmp_path / "tls", "lane1")
    topics = Topics(SITE, "lane1", exercise=False)
    async with secured("station", tmp_path / "a", tls) as world:
        station = Station(partial(connect, world.as_("lane1")), topics)
        async with station.connected():
            await until(lambda: station.gauges.echo is not None, WITHIN)
        assert station.remarks == []
        access = tmp_path / "a" / "etc" / "station.acl"
        text, removed = re.subn(r"pattern read \S+/%u/(status|health)\n", "", access.read_text())
        assert removed == 4
        access.write_text(text)
        world.broker.reload()
        async with station.connected():
            await until(lambda: station.remarks, WITHIN + 1.5)
    assert station.words == ["self-test-failed"]
    assert station.changes == [True]
    assert topics.status in station.remarks[0][1]


async def restarted(broker: Mosquitto, *, persisted: Path | None) -> None:
    """Killed and started again, once it has written its file if it has one."""
    if persisted is not None:
        await until(lambda: persisted.exists() and b"status" in persisted.read_bytes())
    await broker.kill()
    await broker.start()


@asynccontextmanager
async def once(station: Station) -> AsyncIterator[Publisher]:
    """A connection up to the proof that the broker brings the status back; that it breaks later is part of the test."""
    try:
        async with station.connected() as publisher:
            await until(lambda: station.gauges.echo is not None, WITHIN)
            yield publisher
            await publisher.lost()
    except DeliveryError:
        return


@pytest.mark.parametrize("persistence", [False, True])
async def test_a_broker_started_again_without_its_memory_is_known_and_one_that_kept_it_is_not_accused(
    tmp_path: Path, *, persistence: bool
) -> None:
    extra = AUTOSAVE if persistence else ()
    async with mosquitto(tmp_path, persistence=persistence, extra=extra) as broker:
        station = station_at(broker)
        async with once(station):
            await restarted(broker, persisted=tmp_path / "mosquitto.db" if persistence else None)
        async with station.connected():
            await until(lambda: station.gauges.echo is not None, WITHIN)
    assert station.words == ([] if persistence else ["broker-forgets"])


class _BreakError(Exception):
    """Left with an exception, a connection just ends."""


async def test_a_broken_connection_to_a_broker_that_lives_is_no_loss_of_memory(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        station = station_at(broker)
        for _ in range(3):
            with suppress(_BreakError):
                async with station.connected():
                    await until(lambda: station.gauges.echo is not None, WITHIN)
                    raise _BreakError
    assert station.words == []


async def test_a_mosquitto_is_known_by_its_version_to_forget(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with mosquitto(tmp_path) as broker, station_at(broker).connected():
        await until(lambda: "the broker is known to forget" in caplog.text)
    assert "mosquitto version" in caplog.text


async def test_the_broker_for_development_takes_part(tmp_path: Path) -> None:
    needed_package("amqtt")
    async with EmbeddedBroker(tmp_path, kind="amqtt") as broker:
        at = BrokerSettings(host=broker.host, port=broker.port, version=broker.version)
        station = Station(partial(connect, at), TOPICS)
        async with station.connected():
            await until(lambda: station.gauges.echo is not None, WITHIN)
    assert station.remarks == []
