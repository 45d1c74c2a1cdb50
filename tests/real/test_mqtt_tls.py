"""The MQTT publisher over TLS, and what it says when TLS does not work."""

import asyncio
import ssl
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from devicehub.model.errors import ConfigError, DeliveryError
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Outgoing
from devicehub.publish.settings import BrokerSettings, tls_context
from tests.programs import needed
from tests.real.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.real

OUT = Outgoing("t", b"{}", 1, retain=False, expiry=None, type="io.devicehub.reading", id="i", subject="s")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """An authority, a broker's certificate for 127.0.0.1 and a client's certificate, made on the spot."""
    needed("openssl")
    made = {
        f"{name}.{end}": tmp_path / f"{name}.{end}" for name in ("ca", "broker", "client") for end in ("pem", "key")
    }
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    authority = ["-CA", str(made["ca.pem"]), "-CAkey", str(made["ca.key"]), "-addext", "basicConstraints=CA:FALSE"]
    for name, more in {
        "ca": [],
        "broker": [*authority, "-addext", "subjectAltName=IP:127.0.0.1"],
        "client": authority,
    }.items():
        out = ["-keyout", str(made[f"{name}.key"]), "-out", str(made[f"{name}.pem"]), "-subj", f"/CN={name}"]
        subprocess.run([*new, *more, *out], check=True, capture_output=True)
    return made


def listener(files: dict[str, Path], *more: str) -> list[str]:
    return [f"cafile {files['ca.pem']}", f"certfile {files['broker.pem']}", f"keyfile {files['broker.key']}", *more]


def settings(
    broker: Mosquitto, *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> BrokerSettings:
    return BrokerSettings(host=broker.host, port=broker.port, tls=tls_context(ca=ca, certificate=certificate, key=key))


async def test_messages_are_delivered_over_tls(tmp_path: Path, files: dict[str, Path]) -> None:
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto(tmp_path, extra=listener(files)))
        publisher = await stack.enter_async_context(connect(settings(broker, ca=files["ca.pem"])))
        await asyncio.gather(*[publisher.submit(OUT) for _ in range(300)])


async def test_a_client_certificate_opens_what_is_closed_without_one(tmp_path: Path, files: dict[str, Path]) -> None:
    async with mosquitto(tmp_path, extra=listener(files, "require_certificate true")) as broker:
        known = settings(broker, ca=files["ca.pem"], certificate=files["client.pem"], key=files["client.key"])
        async with connect(known) as publisher:
            await publisher.submit(OUT)
        with pytest.raises(DeliveryError, match="client certificate"):
            await connect(settings(broker, ca=files["ca.pem"])).__aenter__()


async def test_a_certificate_that_is_not_trusted_is_told_as_such(tmp_path: Path, files: dict[str, Path]) -> None:
    async with mosquitto(tmp_path, extra=listener(files)) as broker:
        with pytest.raises(
            DeliveryError, match=r"the certificate of 127\.0\.0\.1:\d+ is not trusted .*: check the authority"
        ):
            await connect(settings(broker, ca=files["client.pem"])).__aenter__()


async def test_tls_to_a_plain_port_and_plain_to_a_tls_port_are_told_as_such(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    (tmp_path / "plain").mkdir()
    async with mosquitto(tmp_path / "plain") as plain, mosquitto(tmp_path, extra=listener(files)) as secure:
        with pytest.raises(DeliveryError, match="TLS"):
            await connect(settings(plain, ca=files["ca.pem"])).__aenter__()
        with pytest.raises(DeliveryError, match="hung up before it answered: it may expect TLS"):
            await connect(BrokerSettings(host=secure.host, port=secure.port)).__aenter__()


def _context(damaged: str, path: Path) -> ssl.SSLContext:
    return tls_context(ca=path) if damaged == "ca" else tls_context(certificate=path)


@pytest.mark.parametrize("damaged", ["ca", "certificate"])
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, damaged: str) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        _context(damaged, bad)
    with pytest.raises(ConfigError, match=r"absent\.pem"):
        _context(damaged, tmp_path / "absent.pem")
