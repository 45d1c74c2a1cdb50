"""What the link of a device file's device lets through: what the file itself asks, whole, and one at a time."""

import re
from collections.abc import Callable, Iterator, Mapping
from math import inf, isfinite, trunc
from types import MappingProxyType
from typing import Final

from devicehub.devicefile.asking import RESEND
from devicehub.devicefile.compiled import Compiled, uncut
from devicehub.devicefile.notation import Template
from devicehub.devicefile.schema import DeviceFile, OptionTable
from devicehub.devicefile.schema_command import ArgumentTable
from devicehub.devicefile.schema_memory import DATE, PLACE
from devicehub.wire.forbidden import Allowed
from devicehub.wire.packet import Packet, usb_read

TITLE: Final = "do what this device file does not ask"
_DATES: Final = MappingProxyType(dict(zip(DATE, ((0, 99), (1, 12), (1, 31), (0, 23), (0, 59), (0, 59)), strict=True)))
_Limits = Mapping[str, tuple[tuple[float, float], ...]]


def allowed(compiled: Compiled) -> Allowed:
    """Every request of the file, with all that it can put in, and the reads of its endpoint."""
    link, asking = compiled.file.link, compiled.asking
    plain = {
        uncut(link, asking.request(request.template, {})) for request in compiled.requests.values() if not request.slots
    }
    varied = [request.template for request in compiled.requests.values() if request.slots]
    return Allowed(
        packets=frozenset(plain).union(_reads(compiled.file)),
        fits=_fitting(compiled, varied),
        title=TITLE,
        piece=link.piece if link.kind == "ble" else 0,
    )


def _reads(file: DeviceFile) -> Iterator[Packet]:
    """What a USB device is asked for: transfers of the endpoint that it speaks at."""
    if file.link.kind != "usb":
        return
    choice = next((one for one in file.option if one.name == file.link.endpoint_option), None)
    endpoints = range(0x81, 0x90) if choice is not None else (file.link.endpoint_in,)
    yield from (usb_read(endpoint, file.link.transfer) for endpoint in endpoints)


def _fitting(compiled: Compiled, varied: list[Template]) -> Callable[[Packet], bool]:
    """Whether a packet is one of the requests with something put in."""
    asking, port = compiled.asking, uncut(compiled.file.link, b"").port
    forms: list[tuple[Template, re.Pattern[bytes]]] = [(send, asking.pattern(send)) for send in varied]
    limits = _limits(compiled.file)

    def fits(packet: Packet) -> bool:
        if packet.port != port:
            return False
        found = (asking.put_in(send, pattern, packet.data) for send, pattern in forms)
        return any(values is not None and _within(values, limits) for values in found)

    return fits


def _within(values: Mapping[str, float | str], limits: _Limits) -> bool:
    """Whether each number is one that the file can put in."""
    try:
        numbers = [(float(value), limits[name]) for name, value in values.items()]
    except ValueError:  # signs and points that make no number
        return False
    return all(any(low <= number <= high for low, high in known) for number, known in numbers)


def _limits(file: DeviceFile) -> _Limits:
    """From what to what the numbers may be that are put in, by name: what has one name may come from several."""
    found: dict[str, list[tuple[float, float]]] = {RESEND: [(0, 1)]}
    settings: list[OptionTable | ArgumentTable] = [*file.option]
    settings += [one for command in file.command for one in command.args]
    for one in settings:
        low, high = -inf if one.low is None else one.low, inf if one.high is None else one.high
        found.setdefault(one.name, []).append((_whole(low), _whole(high)))
    for counter in file.counter:
        found.setdefault(counter.name, []).append((counter.plus, counter.plus + counter.modulus - 1))
    if file.memory:
        sizes = (request.size for request in file.request if request.size is not None)
        place = ((0, max(memory.room for memory in file.memory)), (0, max(sizes, default=0)))
        for name, limits in (*zip(PLACE, place, strict=True), *_DATES.items()):
            found.setdefault(name, []).append(limits)
    return {name: tuple(limits) for name, limits in found.items()}


def _whole(limit: float) -> float:
    """A limit as it is put in: without what is behind the point."""
    return trunc(limit) if isfinite(limit) else limit
