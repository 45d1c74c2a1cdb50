"""The broker recipes that ship, running: only ports, paths and the account differ. Certificates by `devicehub tls init`."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devicehub.model.gap import GapReason
from devicehub.model.message import Kind
from devicehub.model.payload import GapData
from devicehub.publish.settings import BrokerSettings, Tls, tls_context
from devicehub.publish.topics import Topics
from tests.patience import PATIENCE
from tests.programs import needed
from tests.real.mosquitto import Mosquitto, free_port
from tests.unit.publish.examples import message as example

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "config" / "broker"
SITE = "bcp-north"
REAL = f"devicehub/v1/{SITE}"
EXERCISE = f"devicehub-sim/v1/{SITE}"


def devicehub(*words: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "devicehub", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def certificates(folder: Path, *nodes: str) -> Path:
    """A test authority's folder with a certificate for each of `nodes` and each role."""
    needed("openssl")
    names = [word for node in nodes for word in ("--node", node)]
    done = devicehub("tls", "init", str(folder), "--host", "broker.example", *names)
    assert done.returncode == 0, done.stderr
    return folder


@dataclass(frozen=True)
class Secured:
    """A running broker and the certificates that it knows."""

    broker: Mosquitto
    tls: Path
    log: Path

    def as_(self, name: str, *, host: str = "127.0.0.1", minimum: Tls = Tls.V1_3) -> BrokerSettings:
        """How the owner of certificate `name` connects."""
        tls = tls_context(
            ca=self.tls / "authority.pem",
            certificate=self.tls / f"{name}.pem",
            key=self.tls / f"{name}.key",
            minimum=minimum,
        )
        return BrokerSettings(host=host, port=self.broker.port, tls=tls)


def changed(text: str, changes: dict[str, str]) -> str:
    """`text` with every change made; one that does not apply is an error of the test."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the recipe"
        text = text.replace(old, new)
    return text


def installed(recipe: str, folder: Path, changes: dict[str, str]) -> Path:
    """A recipe as `folder/etc/mosquitto.conf`, its access list beside it."""
    etc = folder / "etc"
    (folder / "lib").mkdir(parents=True)
    (etc / "conf.d").mkdir(parents=True)
    text = (RECIPES / f"{recipe}.conf").read_text(encoding="utf-8")
    access = RECIPES / f"{recipe}.acl"
    if access.exists():
        shutil.copy(access, etc)
        changes = {"/etc/mosquitto/": f"{etc}/", **changes}
    account = {"user mosquitto": f"user {pwd.getpwuid(os.geteuid()).pw_name}"}
    (etc / "mosquitto.conf").write_text(
        changed(text, {"/var/lib/mosquitto/": f"{folder / 'lib'}/", **account, **changes})
    )
    return etc / "mosquitto.conf"


@asynccontextmanager
async def secured(
    recipe: str, folder: Path, tls: Path, changes: dict[str, str] | None = None, *, bridge: str = ""
) -> AsyncIterator[Secured]:
    """A recipe with TLS, running; `bridge` is the text of its bridge."""
    needed("mosquitto")
    port = free_port()
    config = installed(recipe, folder, {"listener 8883\n": f"listener {port} 127.0.0.1\n", **(changes or {})})
    shutil.copytree(tls, config.parent / "tls")
    if bridge:
        (config.parent / "conf.d" / "bridge.conf").write_text(bridge)
    broker = Mosquitto(config, port)
    await broker.start()
    try:
        yield Secured(broker, tls, config.parent / "mosquitto.log")
    finally:
        await broker.stop()


def signed(authority: Path, folder: Path, *, name: str, extensions: str, days: int) -> tuple[Path, Path]:
    """A certificate of that authority that `devicehub tls` would not make: certificate and key."""
    key, request, made = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    (folder / "extensions").write_text(extensions)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    new = ["openssl", "req", "-new", *curve, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)]
    signer = ["-CA", str(authority / "authority.pem"), "-CAkey", str(authority / "authority.key")]
    sign = ["openssl", "x509", "-req", "-in", str(request), *signer, "-days", str(days), "-out", str(made)]
    for command in (new, [*sign, "-extfile", str(folder / "extensions")]):
        subprocess.run(command, check=True, capture_output=True)
    return made, key


def not_yet_valid(authority: Path, folder: Path) -> tuple[Path, Path]:
    """A broker certificate for 127.0.0.1 from the year 2049 on: certificate and key."""
    key, request, made = (folder / f"future.{end}" for end in ("key", "csr", "pem"))
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(f"""
[ca]
default_ca = one
[one]
database = {folder / "index"}
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = IP:127.0.0.1
""")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    new = ["openssl", "req", "-new", *curve, "-subj", "/CN=future", "-keyout", str(key), "-out", str(request)]
    signer = ["-cert", str(authority / "authority.pem"), "-keyfile", str(authority / "authority.key")]
    sign = ["openssl", "ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"), *signer]
    dates = ["-startdate", "20490101000000Z", "-enddate", "20491231000000Z"]
    for command in (new, [*sign, *dates, "-in", str(request), "-out", str(made)]):
        subprocess.run(command, check=True, capture_output=True)
    return made, key


def topic(kind: Kind, node: str, *, site: str = SITE, exercise: bool = False) -> str:
    """A topic of that kind as the hub builds it."""
    data = GapData("hub", GapReason.REFUSED) if kind is Kind.GAP else None
    kind_of = {Kind.EVENT: "alarm.raised"}.get(kind, "")
    return Topics(site, node, exercise=exercise).topic(example(kind, data, kind_of=kind_of))
