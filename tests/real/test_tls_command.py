"""`devicehub tls`: what it makes, what it says, what it refuses."""

import json
import os
import ssl
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devicehub.publish.authority import ROLES
from devicehub.publish.settings import tls_context
from tests.patience import PATIENCE
from tests.real.access_world import ROOT, devicehub

pytestmark = [
    pytest.mark.real,
    pytest.mark.needs("openssl"),
]


def text_of(certificate: Path) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-text", "-nameopt", "RFC2253"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def verified(folder: Path, name: str, purpose: str) -> bool:
    command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(folder / "authority.pem")]
    done = subprocess.run([*command, str(folder / f"{name}.pem")], check=False, capture_output=True)
    return done.returncode == 0


def test_authority_broker_and_one_client_per_node_and_role_are_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    done = devicehub("tls", "init", str(made), "--host", "broker.example", "--host", "10.0.0.7", "--node", "lane1")
    assert done.returncode == 0, done.stderr
    names = {"authority", "broker", "lane1", *ROLES}
    assert {path.name for path in made.iterdir()} == {f"{name}.{end}" for name in names for end in ("pem", "key")}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert verified(made, "broker", "sslserver")
    assert not verified(made, "broker", "sslclient")
    for name in ("lane1", *ROLES):
        assert verified(made, name, "sslclient")
        assert not verified(made, name, "sslserver")
        assert f"Subject: CN={name}\n" in text_of(made / f"{name}.pem")
    assert "TEST authority" in text_of(made / "authority.pem")
    for name in ("DNS:broker.example", "IP Address:10.0.0.7", "DNS:localhost", "IP Address:127.0.0.1"):
        assert name in text_of(made / "broker.pem")


def test_certificates_are_usable_under_pythons_strictest_rules(tmp_path: Path) -> None:
    """The defaults of Python 3.13."""
    assert devicehub("tls", "init", str(tmp_path / "made"), "--node", "lane1").returncode == 0
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "made" / "authority.pem"))
    server.load_cert_chain(tmp_path / "made" / "broker.pem", tmp_path / "made" / "broker.key")
    server.verify_mode = ssl.CERT_REQUIRED
    ca, certificate, key = (tmp_path / "made" / name for name in ("authority.pem", "lane1.pem", "lane1.key"))
    client = tls_context(ca=ca, certificate=certificate, key=key)
    for context in (server, client):
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert common_name_seen(server, client) == "lane1"


def common_name_seen(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    """A handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ends[1].version() == "TLSv1.3"
    peer = ends[1].getpeercert()
    assert peer is not None
    return str(dict(pair for part in peer["subject"] for pair in part)["commonName"])  # type: ignore[misc]  # typeshed's union


def test_nobody_else_can_read_the_files_whatever_the_umask(tmp_path: Path) -> None:
    made = tmp_path / "made"
    before = os.umask(0)
    try:
        assert devicehub("tls", "init", str(made), "--node", "lane1").returncode == 0
        assert devicehub("tls", "add", str(made), "lane2").returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o600}


def test_what_it_prints_is_a_configuration_and_a_warning(tmp_path: Path) -> None:
    done = devicehub("tls", "init", str(tmp_path / "made"), "--host", "broker.example", "--node", "lane1")
    assert "TEST authority" in done.stdout.splitlines()[0]
    table = done.stdout.partition("# devicehub.toml of lane1")[2].partition("\n")[2].partition("\n\n")[0]
    mqtt = tomllib.loads(table)["mqtt"]
    assert mqtt["url"] == "mqtts://broker.example:8883"
    assert all(Path(mqtt[key]).is_file() for key in ("ca", "certificate", "key"))
    (tmp_path / "hub.toml").write_text(f'[hub]\nsite = "s"\nnode = "lane1"\n{table}\n')
    assert devicehub("config", "check", str(tmp_path / "hub.toml")).returncode == 0
    assert "require_certificate true" in done.stdout
    assert (ROOT / "config" / "broker" / "station.conf").is_file()


def test_as_json_it_says_the_same(tmp_path: Path) -> None:
    done = devicehub("tls", "init", str(tmp_path / "made"), "--node", "lane1", "--days", "30", "--json")
    facts = json.loads(done.stdout)
    assert facts["test_authority"] is True
    assert set(facts["clients"]) == {"lane1", *ROLES}
    for one in (facts["authority"], facts["broker"], *facts["clients"].values()):
        assert Path(one["key"]).is_file()
        assert one["until"] == facts["authority"]["until"]
    added = devicehub("tls", "add", str(tmp_path / "made"), "lane2", "--json")
    assert Path(json.loads(added.stdout)["certificate"]).is_file()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert devicehub("tls", "init", str(made), "--node", "lane1").returncode == 0
    before = contents(made)
    for words in (("init", str(made)), ("add", str(made), "lane1")):
        done = devicehub("tls", *words)
        assert (done.returncode, done.stdout) == (73, "")
        assert "left alone" in done.stderr
    (tmp_path / "file").touch()
    assert devicehub("tls", "init", str(tmp_path / "file")).returncode == 73
    assert contents(made) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--node", "Lane 1"), 2, "must be 1 to 64 of a-z"),
        (("--node", "../lane1"), 2, "must be 1 to 64 of a-z"),
        (("--node", "soc"), 2, "has a meaning of its own"),
        (("--node", "authority"), 2, "has a meaning of its own"),
        (("--host", "a,DNS:evil.example"), 2, "must be a host name or an IP address"),
        (("--host", "a\nb = c"), 2, "must be a host name or an IP address"),
        (("--host", "$ENV::HOME"), 2, "must be a host name or an IP address"),
        (("--host", "-x"), 2, "expected one argument"),
        (("--days", "0"), 2, "must be a whole number from 1 to 3650"),
        (("--days", "x"), 2, "must be a whole number"),
    ],
)
def test_a_name_that_cannot_be_certified_is_refused_and_nothing_is_left_behind(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = devicehub("tls", "init", str(tmp_path / "made"), *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_longest_names_are_certified(tmp_path: Path) -> None:
    host = ".".join(["h" * 60] * 4)
    done = devicehub("tls", "init", str(tmp_path / "made"), "--host", host, "--node", "n" * 64)
    assert done.returncode == 0, done.stderr
    assert f"DNS:{host}" in text_of(tmp_path / "made" / "broker.pem")


def test_without_an_authority_nothing_can_be_added(tmp_path: Path) -> None:
    done = devicehub("tls", "add", str(tmp_path), "lane1")
    assert done.returncode == 66
    assert "authority.pem" in done.stderr


def with_openssl(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it where `openssl` is another program, or none."""
    (folder / "bin").mkdir()
    if program:
        (folder / "bin" / "openssl").write_text(program)
        (folder / "bin" / "openssl").chmod(0o700)
    return subprocess.run(
        [sys.executable, "-m", "devicehub", "tls", "init", str(folder / "made")],
        cwd=ROOT, env={"PATH": str(folder / "bin")}, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def test_without_openssl_it_says_what_to_install(tmp_path: Path) -> None:
    done = with_openssl("", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (69, 1)
    assert "install openssl" in done.stderr


def test_an_openssl_that_fails_is_told_in_its_own_words_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = with_openssl("#!/bin/sh\necho '....+++' >&2; echo 'unknown option -CA' >&2; exit 1\n", tmp_path)
    assert done.returncode == 69
    assert "req failed: unknown option -CA" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
