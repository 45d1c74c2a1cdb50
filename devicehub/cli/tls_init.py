"""`devicehub tls init`."""

import argparse
import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json, say
from devicehub.config.resources import shipped
from devicehub.model.errors import ConfigError
from devicehub.publish.authority import AUTHORITY, BROKER, ROLES, Identity, UncertifiableError, make
from devicehub.publish.topics import segment

LOCAL = ("localhost", "127.0.0.1", "::1")
NOTICE = (
    "This is a TEST authority: nobody checks who uses it, and no certificate of it can be revoked. "
    "Whoever has {key} can pass for any hub and any role: "
    "move it to a medium that is locked away. Where there is a public key infrastructure, use that."
)


def run(args: argparse.Namespace) -> int:
    """Make authority and certificates, and say where they belong. Never overwrites."""
    folder: Path = args.folder.absolute()
    hosts = [*(args.host or [_own_name()]), *LOCAL]
    nodes = args.node or [segment(_own_name().partition(".")[0])]
    with certifying(folder, f"{folder} exists and is not empty; it is left alone"):
        made = make(folder, hosts=hosts, clients=nodes, days=args.days)
    if args.json:
        print_json(_facts(made, hosts))
    else:
        say("\n".join(_lines(made, hosts[0])))
    return Exit.OK


@contextmanager
def certifying(folder: Path, taken: str) -> Iterator[None]:
    """What can go wrong while certificates are made for `folder`, as `CommandError`. `taken`: said when they exist."""
    if shutil.which("openssl") is None:
        raise CommandError(Exit.UNAVAILABLE, "certificates are made by the openssl program: install openssl 3")
    try:
        yield
    except FileExistsError:
        raise CommandError(Exit.CANNOT_CREATE, taken) from None
    except OSError as error:
        # The file in which it shows is a temporary one that the user never heard of.
        raise CommandError(Exit.CANNOT_CREATE, f"{folder}: {error.strerror}") from None
    except UncertifiableError as error:
        raise CommandError(Exit.USAGE, str(error)) from None
    except ConfigError as error:
        raise CommandError(Exit.UNAVAILABLE, str(error)) from None


def _own_name() -> str:
    return socket.gethostname() or "localhost"


def facts(identity: Identity) -> dict[str, str]:
    """An identity as it is printed in JSON."""
    return {"certificate": str(identity.certificate), "key": str(identity.key), "until": identity.until}


def table(made: Mapping[str, Identity], name: str, host: str) -> Iterator[str]:
    """What belongs into devicehub.toml of a client."""
    yield "[mqtt]"
    yield f'url = "mqtts://{host}:8883"'
    yield f"ca = {_text(made[AUTHORITY].certificate)}"
    yield f"certificate = {_text(made[name].certificate)}"
    yield f"key = {_text(made[name].key)}"


def _facts(made: Mapping[str, Identity], hosts: list[str]) -> dict[str, object]:
    return {
        "test_authority": True,
        "notice": NOTICE.format(key=made[AUTHORITY].key),
        "hosts": hosts,
        AUTHORITY: facts(made[AUTHORITY]),
        BROKER: facts(made[BROKER]),
        "clients": {name: facts(one) for name, one in made.items() if name not in (AUTHORITY, BROKER)},
    }


def _lines(made: Mapping[str, Identity], host: str) -> Iterator[str]:
    nodes = [name for name in made if name not in (AUTHORITY, BROKER, *ROLES)]
    yield NOTICE.format(key=made[AUTHORITY].key)
    yield f"All certificates are valid until {made[AUTHORITY].until}; make new ones before."
    for name in nodes:
        yield ""
        yield f"# devicehub.toml of {name}, with hub.node = {_text(name)}:"
        yield from table(made, name, f"[{host}]" if ":" in host else host)
    yield ""
    yield f"# Certificates of the roles {', '.join(ROLES)} lie there too, for whoever reads or commands."
    yield ""
    yield f"# mosquitto.conf (complete: {shipped('broker/station.conf')}), readable for the broker's user:"
    yield "listener 8883"
    yield "tls_version tlsv1.3"
    yield f"cafile {made[AUTHORITY].certificate}"
    yield f"certfile {made[BROKER].certificate}"
    yield f"keyfile {made[BROKER].key}"
    yield "require_certificate true"
    yield "use_identity_as_username true"


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
