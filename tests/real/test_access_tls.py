"""Who is let in by the station's recipe and whom the hub lets tell it that it is the broker."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from devicehub.model.errors import ConfigError, DeliveryError
from devicehub.publish.mqtt import connect
from devicehub.publish.settings import BrokerSettings, Tls, tls_context
from tests.real.access_world import REAL, certificates, not_yet_valid, secured, signed
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

STATUS = message(f"{REAL}/lane1/status")
FOR_CLIENT = "extendedKeyUsage = clientAuth"
FOR_SERVER = "extendedKeyUsage = serverAuth\nsubjectAltName = IP:127.0.0.1"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "made", "lane1")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another authority with the same names."""
    return certificates(tmp_path_factory.mktemp("strangers") / "made", "lane1")


async def complaint(settings: BrokerSettings) -> str:
    """Why the connection fails."""
    with pytest.raises(DeliveryError) as caught:
        async with connect(settings) as publisher:
            await publisher.submit(STATUS)
    return str(caught.value)


async def test_tls_1_3_is_spoken_and_nothing_older(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path, tls) as station:
        known = station.as_("lane1")
        async with connect(known) as publisher:
            await publisher.submit(STATUS)
        older = station.as_("lane1", minimum=Tls.V1_2)
        assert older.tls is not None
        older.tls.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await complaint(older)


async def test_without_a_client_certificate_nobody_is_let_in(tmp_path: Path, tls: Path) -> None:
    async with secured("station", tmp_path, tls) as station:
        nameless = replace(station.as_("lane1"), tls=tls_context(ca=tls / "authority.pem"))
        assert "client certificate" in await complaint(nameless)


async def test_a_user_name_does_not_stand_in_for_a_certificate(tmp_path: Path, tls: Path) -> None:
    """The name is that of the certificate, whatever CONNECT says."""
    async with secured("station", tmp_path, tls) as station:
        posing = replace(station.as_("soc"), username="lane1", password="x")
        assert "Not authorized" in await complaint(posing)


async def test_a_certificate_of_another_authority_is_not_let_in(tmp_path: Path, tls: Path, strangers: Path) -> None:
    foreign = tls_context(
        ca=tls / "authority.pem", certificate=strangers / "lane1.pem", key=strangers / "lane1.key"
    )  # fmt: skip
    async with secured("station", tmp_path, tls) as station:
        assert "client certificate" in await complaint(replace(station.as_("lane1"), tls=foreign))


@pytest.mark.parametrize(("extensions", "days"), [(FOR_CLIENT, -1), (FOR_SERVER, 1)], ids=["expired", "for a server"])
async def test_a_certificate_that_is_not_valid_for_a_client_is_not_let_in(
    tmp_path: Path, tls: Path, extensions: str, days: int
) -> None:
    certificate, key = signed(tls, tmp_path, name="lane1", extensions=extensions, days=days)
    bad = tls_context(ca=tls / "authority.pem", certificate=certificate, key=key)
    async with secured("station", tmp_path, tls) as station:
        assert "client certificate" in await complaint(replace(station.as_("lane1"), tls=bad))
        good = signed(tls, tmp_path, name="lane1", extensions=FOR_CLIENT, days=1)
        context = tls_context(ca=tls / "authority.pem", certificate=good[0], key=good[1])
        async with connect(replace(station.as_("lane1"), tls=context)) as publisher:
            await publisher.submit(STATUS)


async def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path, tls: Path, strangers: Path) -> None:
    async with secured("station", tmp_path, strangers) as station:
        mine = tls_context(ca=tls / "authority.pem", certificate=tls / "lane1.pem", key=tls / "lane1.key")
        said = await complaint(replace(station.as_("lane1"), tls=mine))
    assert "is not trusted" in said
    assert "check the authority file" in said


@pytest.mark.parametrize(
    ("extensions", "days", "said"),
    [
        (FOR_SERVER, -1, "(certificate has expired): the broker needs a new certificate, or this computer's clock is ahead"),
        (FOR_CLIENT, 1, "(unsuitable certificate purpose): the broker needs a certificate for a server"),
        ("subjectAltName = DNS:other.example", 1, "connect to an address that is in it"),
    ],
    ids=["expired", "of a client", "of another host"],
)  # fmt: skip
async def test_a_certificate_that_does_not_prove_the_broker_is_told_as_such(
    tmp_path: Path, tls: Path, extensions: str, days: int, said: str
) -> None:
    served = shutil.copytree(tls, tmp_path / "served")
    certificate, key = signed(tls, tmp_path, name="any", extensions=extensions, days=days)
    shutil.copy(certificate, served / "broker.pem")
    shutil.copy(key, served / "broker.key")
    async with secured("station", tmp_path / "broker", served) as station:
        assert said in await complaint(station.as_("lane1"))


async def test_a_clock_that_is_behind_is_named_as_a_reason(tmp_path: Path, tls: Path) -> None:
    """A workstation without internet whose clock has lost its battery sees certificates from the future."""
    served = shutil.copytree(tls, tmp_path / "served")
    certificate, key = not_yet_valid(tls, tmp_path)
    shutil.copy(certificate, served / "broker.pem")
    shutil.copy(key, served / "broker.key")
    async with secured("station", tmp_path / "broker", served) as station:
        assert (
            "(certificate is not yet valid): the broker needs a new certificate, or this computer's clock is behind"
            in (await complaint(station.as_("lane1")))
        )


async def test_a_host_name_that_is_not_in_the_certificate_is_told_as_such(tmp_path: Path, tls: Path) -> None:
    served = shutil.copytree(tls, tmp_path / "served")
    certificate, key = signed(tls, tmp_path, name="any", extensions=FOR_SERVER, days=1)
    shutil.copy(certificate, served / "broker.pem")
    shutil.copy(key, served / "broker.key")
    async with secured("station", tmp_path / "broker", served) as station:
        assert "connect to a name that is in it" in await complaint(station.as_("lane1", host="localhost"))
        async with connect(station.as_("lane1")) as publisher:
            await publisher.submit(STATUS)


@contextmanager
def old_broker(tls: Path) -> Iterator[int]:
    """A port that speaks TLS 1.2 at most and answers CONNECT with an MQTT 5 CONNACK (MQTT 5.0, 3.2), twice."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls / "broker.pem", tls / "broker.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            plain, _ = listener.accept()
            with plain, suppress(ssl.SSLError), context.wrap_socket(plain, server_side=True) as secure:
                secure.recv(1024)
                secure.sendall(b"\x20\x03\x00\x00\x00")
                secure.recv(1024)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        served = threads.submit(serve, listener)
        yield listener.getsockname()[1]
        served.result(timeout=10)


async def test_a_broker_without_tls_1_3_is_named_and_taken_only_where_that_is_configured(tls: Path) -> None:
    with old_broker(tls) as port:
        modern = BrokerSettings(host="127.0.0.1", port=port, tls=tls_context(ca=tls / "authority.pem"))
        assert "does not speak TLS 1.3: bring it up to date or set mqtt.tls_minimum" in await complaint(modern)
        older = replace(modern, tls=tls_context(ca=tls / "authority.pem", minimum=Tls.V1_2))
        async with connect(older) as publisher:
            assert publisher.delivery == "broker-acked"


def test_a_key_with_a_passphrase_is_refused_because_nobody_is_there_to_type_it(tmp_path: Path, tls: Path) -> None:
    """And not asked for on the terminal, where a daemon would wait for ever."""
    locked = tmp_path / "locked.key"
    command = [
        "openssl",
        "ec",
        "-aes256",
        "-passout",
        "pass:secret",
        "-in",
        str(tls / "lane1.key"),
        "-out",
        str(locked),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(ConfigError, match=r"locked\.key: not usable"):
        tls_context(ca=tls / "authority.pem", certificate=tls / "lane1.pem", key=locked)
