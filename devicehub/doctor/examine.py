"""All checks, in the order in which a technician would go about it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from devicehub.doctor import delivery, devices, station
from devicehub.doctor.facts import Facts
from devicehub.doctor.findings import Finding

CHECKS: Final[Mapping[str, Callable[[Facts], Iterator[Finding]]]] = MappingProxyType(
    {
        "config": station.configuration,
        "clock": station.clock,
        "disk": station.disk,
        "journal": station.journal,
        "broker": delivery.broker,
        "broker-forgets": delivery.forgets,
        "certificate": delivery.certificates,
        "port": devices.ports,
        "udev": devices.udev,
        "modemmanager": devices.modem_manager,
        "brltty": devices.brltty,
        "bluetooth": devices.bluetooth,
        "twins": devices.twins,
        "usb": devices.bandwidth,
    }
)
"""A refusal by an access list is the finding "acl" of the check of the broker."""


_ALWAYS: Final = frozenset({"config", "clock", "disk"})


def skipped(facts: Facts) -> frozenset[str]:
    """The checks that had nothing to go by: no usable configuration, or no broker that was spoken to."""
    if facts.config is None:
        return frozenset(CHECKS) - _ALWAYS
    return frozenset({"broker"} if facts.broker is None else ())


def examine(facts: Facts) -> list[Finding]:
    """Everything that is found."""
    return [finding for check in CHECKS.values() for finding in check(facts)]
