"""A private authority for trials and stations without one: its certificate, the broker's, one per client.

Made by the `openssl` program as a child process: there is no cryptography of our own, and none that the hub
would carry along for a command that runs once. Keys are on the curve P-256, files have mode 0600, a folder
appears complete or not at all, and no file is ever overwritten.

Sources: openssl-req(1), x509v3_config(5), RFC 5280 (4.2 Certificate Extensions).
"""

import ipaddress
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from devicehub.model.errors import ConfigError

ROLES: Final = ("soc", "technician", "privacy", "consumer", "training")
AUTHORITY: Final = "authority"
BROKER: Final = "broker"
MOST_DAYS: Final = 3650

_NODE = re.compile(r"[a-z0-9-]{1,64}")
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_TIMEOUT_S = 60
_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        AUTHORITY: "basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign, cRLSign",
        BROKER: "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n"
        "extendedKeyUsage = serverAuth\nauthorityKeyIdentifier = keyid",
        "client": "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n"
        "extendedKeyUsage = clientAuth\nauthorityKeyIdentifier = keyid",
    }
)
_REQUEST = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
string_mask = utf8only
[name]
{name}
[extensions]
subjectKeyIdentifier = hash
{extensions}
"""


class UncertifiableError(ConfigError):
    """A name or a time that no certificate is made for."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, its private key, and the day (UTC, ISO 8601) on which the certificate ends."""

    certificate: Path
    key: Path
    until: str


def make(folder: Path, *, hosts: Sequence[str], clients: Iterable[str], days: int) -> Mapping[str, Identity]:
    """A new authority in `folder`, a broker certificate for `hosts`, one for each of `clients` and each role.

    Returns them by name; the first is the authority. Raises `UncertifiableError` for a name, `ConfigError` for
    an `openssl` that is missing or fails, `FileExistsError` when there is something in `folder`.
    """
    names = [*dict.fromkeys(clients), *ROLES]
    for name in names[: -len(ROLES)]:
        _check_new(name)
    alternatives = [_alternative(host) for host in dict.fromkeys(hosts)]
    _check_days(days)
    program = _program()
    _check_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        inside = Path(scratch) / "made"
        inside.mkdir(mode=0o700)
        maker = _Maker(program, inside, days)
        maker.issue(AUTHORITY, f"O = {hosts[0][:64]}\nCN = devicehub TEST authority", _EXTENSIONS[AUTHORITY])
        extensions = f"{_EXTENSIONS[BROKER]}\nsubjectAltName = {', '.join(alternatives)}"
        maker.issue(BROKER, f"CN = {BROKER}", extensions)
        for name in names:
            maker.issue(name, f"CN = {name}", _EXTENSIONS["client"])
        found = {name: maker.identity(name, folder) for name in (AUTHORITY, BROKER, *names)}
        _publish(inside, folder)
    return found


def add(folder: Path, client: str, *, days: int) -> Identity:
    """One more client certificate from the authority in `folder`.

    Raises `ConfigError` as `make`, `FileNotFoundError` without the authority's files, `FileExistsError` for a
    client that has a certificate already.
    """
    _check_new(client)
    _check_days(days)
    program = _program()
    for path in (folder / f"{AUTHORITY}.pem", folder / f"{AUTHORITY}.key"):
        path.open("rb").close()
    with TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        maker = _Maker(program, Path(scratch), days, authority=folder)
        maker.issue(client, f"CN = {client}", _EXTENSIONS["client"])
        found = maker.identity(client, folder)
        if found.certificate.exists():
            raise FileExistsError(f"{found.certificate} exists")
        for path in (found.key, found.certificate):
            os.link(Path(scratch) / path.name, path)  # unlike a rename it never replaces
    return found


class _Maker:
    """Runs `openssl`. Files go to `folder`; `authority` is where the signing pair is, if not there."""

    def __init__(self, program: str, folder: Path, days: int, authority: Path | None = None) -> None:
        self._program = program
        self._folder = folder
        self._days = days
        self._authority = authority or folder

    def issue(self, name: str, subject: str, extensions: str) -> None:
        """A new key and its certificate, signed by itself for the authority."""
        request = self._folder / f"{name}.cnf"
        request.write_text(_REQUEST.format(name=subject, extensions=extensions), encoding="ascii")
        signer = [] if name == AUTHORITY else ["-CA", self._signing("pem"), "-CAkey", self._signing("key")]
        self._run(
            *("req", "-x509", "-config", str(request), "-days", str(self._days), *signer),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"),
            *("-keyout", str(self._folder / f"{name}.key"), "-out", str(self._folder / f"{name}.pem")),
        )
        request.unlink()

    def identity(self, name: str, where: Path) -> Identity:
        """What was made under `name`, as it will be named once it is in `where`."""
        made = self._run("x509", "-in", str(self._folder / f"{name}.pem"), "-noout", "-enddate", "-dateopt", "iso_8601")
        until = made.removeprefix("notAfter=").partition(" ")[0]
        return Identity(where / f"{name}.pem", where / f"{name}.key", until)

    def _signing(self, kind: str) -> str:
        return str(self._authority / f"{AUTHORITY}.{kind}")

    def _run(self, *words: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603  no shell; the words are ours and checked names
                [self._program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                umask=0o077,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"{self._program} {words[0]}: no result within {_TIMEOUT_S} s") from None
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip() and not set(line) <= set(".+*-")]
            raise ConfigError(f"{self._program} {words[0]} failed: {said[-1] if said else done.returncode}")
        return done.stdout.strip()


def _program() -> str:
    found = shutil.which("openssl")
    if found is None:
        raise ConfigError("certificates are made by the openssl program, which is not installed: install openssl 3")
    return found


def _check_new(name: str) -> None:
    if not _NODE.fullmatch(name):
        raise UncertifiableError(f"node '{name}': must be 1 to 64 of a-z, 0-9 and '-', as hub.node")
    if name in (*ROLES, AUTHORITY, BROKER):
        raise UncertifiableError(f"node '{name}': the name has a meaning of its own; name the node otherwise")


def _check_days(days: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise UncertifiableError(f"days {days}: must be from 1 to {MOST_DAYS}")


def _alternative(host: str) -> str:
    """The host as a subject alternative name: an address or a DNS name, and nothing that openssl would interpret."""
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        if not _HOST.fullmatch(host):
            raise UncertifiableError(f"host '{host}': must be a host name or an IP address") from None
    return f"DNS:{host}"


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists")


def _publish(made: Path, folder: Path) -> None:
    """Complete or not at all: a rename, which replaces an empty folder and nothing else."""
    try:
        made.rename(folder)
    except OSError as error:
        _check_empty(folder)
        raise ConfigError(f"{folder}: {error.strerror}") from None
