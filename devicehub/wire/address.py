"""Where a device on a network is: a scheme, an IPv4 address in numbers, perhaps a port. No name is ever resolved."""

from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from msgspec import Struct

from devicehub.model.errors import ConfigError


class Place(Struct, frozen=True):
    """The address of a device and its first port."""

    host: str
    port: int


def parse_place(url: str, scheme: str, port: int) -> Place:
    """`SCHEME://ADDRESS[:PORT]` with `port` where none is given. Raises `ConfigError`, which begins with "must be"."""
    form = f'must be {scheme}://ADDRESS or {scheme}://ADDRESS:PORT, as "{scheme}://192.168.1.1"'
    try:
        parts = urlsplit(url)
        host, given = IPv4Address(parts.hostname or ""), parts.port
    except (AddressValueError, ValueError):
        raise ConfigError(form) from None
    if parts.scheme != scheme or given == 0 or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigError(form)
    if host.is_multicast or host.is_unspecified or host.is_reserved:
        raise ConfigError("must be the address of one device")
    return Place(str(host), given or port)
