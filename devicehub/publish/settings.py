"""Where the broker is and how to talk to it."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from devicehub.model.errors import ConfigError


class Version(StrEnum):
    """Which MQTT to speak. AUTO: 5, or 3.1.1 where the broker does not know 5."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """One broker and one way to connect to it. Times are in seconds.

    `keepalive`: silence of the broker is noticed within it (plus a tenth for the granularity, twice).
    `acknowledge_timeout`: a broker that lives but leaves a QoS 1 message unacknowledged for so long, once it is the
    oldest, counts as lost.
    `window`: QoS 1 messages under way, further limited by the broker's receive maximum.
    `incoming`: received messages held for a slow reader; more are dropped and logged.
    `identifier`: the MQTT client identifier, empty for a random one. Two clients with the same one
    throw each other out. `password` is not part of the representation.
    """

    host: str
    port: int = 1883
    identifier: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    version: Version = Version.AUTO
    keepalive: int = 5
    connect_timeout: float = 5.0
    acknowledge_timeout: float = 10.0
    window: int = 100
    incoming: int = 10_000


class Tls(StrEnum):
    """The oldest TLS to accept. 1.2 is for brokers that do not know 1.3."""

    V1_2 = "1.2"
    V1_3 = "1.3"


_MINIMUM = MappingProxyType({Tls.V1_2: ssl.TLSVersion.TLSv1_2, Tls.V1_3: ssl.TLSVersion.TLSv1_3})


def tls_context(
    *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None, minimum: Tls = Tls.V1_3
) -> ssl.SSLContext:
    """A client's TLS context that verifies the broker and its host name.

    `ca` None trusts the system's certificates. Raises `ConfigError` naming the file that cannot be used; a key
    with a passphrase cannot, because nobody is there to type it.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca}: not usable as certificate authority: {error}") from error
    context.minimum_version = _MINIMUM[minimum]
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{certificate}, {key}: not usable as client certificate: {error}") from error
    return context
