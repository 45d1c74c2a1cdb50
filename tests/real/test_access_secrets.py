"""Passwords and private keys are read, and then seen nowhere: not in logs, output, errors, representations or stored files."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devicehub.config import load_config
from devicehub.config.broker import broker_settings
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.mqtt import connect, subscribe
from devicehub.publish.settings import BrokerSettings, tls_context
from tests.patience import PATIENCE
from tests.real.access_world import REAL, ROOT, Secured, certificates, devicehub, secured
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "made", "lane1")


def secrets(tls: Path) -> list[str]:
    """What must not be seen: the password and each line of the key."""
    key = (tls / "lane1.key").read_text().splitlines()
    return [PASSWORD, *(line for line in key if not line.startswith("-----"))]


def seen(text: str, tls: Path) -> list[str]:
    return [secret for secret in secrets(tls) if secret in text]


def configured(folder: Path, tls: Path, port: int, ca: Path | None = None) -> Path:
    (folder / "password").write_text(PASSWORD + "\n")
    path = folder / "hub.toml"
    path.write_text(f"""
[hub]
site = "bcp-north"
node = "lane1"
state = "state"
[mqtt]
url = "mqtts://localhost:{port}"
username = "lane1"
password = {{ file = "password" }}
ca = "{ca or tls / "authority.pem"}"
certificate = "{tls / "lane1.pem"}"
key = "{tls / "lane1.key"}"
""")
    return path


async def one_run(config: Path, station: Secured) -> str:
    """Everything that a hub says and stores from its start to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-m", "devicehub", "run", "--config", str(config)),
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE), subscribe(station.as_("soc"), [f"{REAL}/lane1/status"]) as incoming:
        assert b'"online"' in (await anext(incoming)).payload
    process.send_signal(signal.SIGTERM)
    said, _ = await process.communicate()
    assert process.returncode == 0, said
    stored = [path.read_bytes() for path in (config.parent / "state").rglob("*") if path.is_file()]
    assert stored
    return b"\n".join([said, *stored]).decode(errors="replace")


async def test_a_hub_neither_says_nor_stores_a_secret(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path / "broker", tls) as station:
        said = await one_run(configured(tmp_path, tls, station.broker.port), station)
        assert seen(said + station.log.read_text(), tls) == []
    assert "will publish below" in said
    assert seen(f"password: {PASSWORD}", tls) == [PASSWORD]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Down to what paho says about every packet; aiomqtt keeps its logger at WARNING by itself."""
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="mqtt"):
        yield caplog


async def test_nothing_is_logged_at_any_level(
    tmp_path: Path, tls: Path, everything_logged: pytest.LogCaptureFixture
) -> None:
    async with secured("station", tmp_path / "broker", tls) as station:
        settings = broker_settings(load_config(configured(tmp_path, tls, station.broker.port)))
        assert settings.password == PASSWORD
        async with connect(settings) as publisher:
            await publisher.submit(message(f"{REAL}/lane1/status"))
            with pytest.raises(DeliveryRefusedError):
                await publisher.submit(message("elsewhere"))
        wrong = replace(settings, tls=tls_context())
        with pytest.raises(DeliveryError) as caught:
            await connect(wrong).__aenter__()
    logged = "\n".join(str(vars(record)) for record in everything_logged.records)
    assert "CONNECT" in logged
    assert seen(f"{logged} {settings!r} {wrong!r} {caught.value!r} {caught.value.__cause__!r}", tls) == []


async def test_a_refused_password_is_not_part_of_the_error(tmp_path: Path, tls: Path) -> None:
    async with mosquitto(tmp_path, passwords={"lane1": "another"}) as broker:
        settings = BrokerSettings(host=broker.host, port=broker.port, username="lane1", password=PASSWORD)
        with pytest.raises(DeliveryRefusedError) as caught:
            await connect(settings).__aenter__()
    assert "password" in str(caught.value)
    assert seen(f"{caught.value!r} {settings!r} {settings}", tls) == []


@pytest.mark.parametrize(
    "words",
    [
        ("config", "show"),
        ("config", "show", "--effective"),
        ("config", "show", "--effective", "--json"),
        ("config", "check", "--json"),
        ("watch", "--for", "1"),
        ("watch", "--for", "1", "--json"),
    ],
)
def test_no_command_shows_a_secret(tmp_path: Path, tls: Path, words: tuple[str, ...]) -> None:
    """Nothing listens on port 1, so that `watch` fails and explains."""
    done = devicehub(*words, "--config", str(configured(tmp_path, tls, 1)))
    assert done.returncode == (69 if words[0] == "watch" else 0), done.stderr
    assert done.stdout or done.stderr
    assert seen(done.stdout + done.stderr, tls) == []


@pytest.mark.parametrize("damage", [b"\xff", b"x" * 70_000])
def test_a_secret_that_cannot_be_used_is_not_shown_either(tmp_path: Path, tls: Path, damage: bytes) -> None:
    config = configured(tmp_path, tls, 1)
    (tmp_path / "password").write_bytes(PASSWORD.encode() + damage)
    done = devicehub("watch", "--config", str(config))
    assert done.returncode == 78
    assert "password" in done.stderr
    assert seen(done.stdout + done.stderr, tls) == []


def test_a_key_that_cannot_be_used_is_named_and_not_shown(tmp_path: Path, tls: Path) -> None:
    config = configured(tmp_path, tls, 1)
    (tmp_path / "bad.key").write_text((tls / "lane1.key").read_text().replace("-----BEGIN", "-----BEGUN"))
    config.write_text(config.read_text().replace(str(tls / "lane1.key"), "bad.key"))
    done = devicehub("watch", "--config", str(config))
    assert done.returncode == 78
    assert "bad.key" in done.stderr
    assert seen(done.stdout + done.stderr, tls) == []
