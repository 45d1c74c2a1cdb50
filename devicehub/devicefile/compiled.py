"""A device file made ready: framing, messages, meanings, requests. Everything that can be wrong is found here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from devicehub.devicefile.asking import Asking
from devicehub.devicefile.condition import Condition, parse_condition
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.integrity import Check, compiled
from devicehub.devicefile.mapping import makers
from devicehub.devicefile.messages import Codec
from devicehub.devicefile.notation import Template, parse_template
from devicehub.devicefile.schema import ChannelTable, DeviceFile, LinkTable, RequestTable
from devicehub.devicefile.schema_memory import MemoryTable
from devicehub.devicefile.telling import Meaning, meaning
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.units import Unit
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint
from devicehub.wire.packet import Packet, usb_write


class ComplaintsError(ValueError):
    """Mistakes that know their keys."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("; ".join(complaint.text for complaint in self.complaints))


@dataclass(frozen=True, slots=True)
class Request:
    """A request, compiled: what of its table is looked at for every packet is at hand.

    `slots`: what is put in; `packets`: it as it is sent, where nothing is. `when`, `unless`: conditions on what is
    remembered.
    """

    name: str
    table: RequestTable
    template: Template
    slots: tuple[str, ...]
    packets: tuple[Packet, ...]
    when: Condition | None
    unless: Condition | None
    replies: tuple[str, ...]
    period_s: float | None
    timeout_s: float
    idle_s: float | None

    def wanted(self, memory: Mapping[str, object]) -> bool:
        """Whether it is to be sent, by what the device said before."""
        return (self.when is None or self.when(memory)) and (self.unless is None or not self.unless(memory))


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory, compiled. `when`: a condition on what is remembered."""

    table: MemoryTable
    when: Condition | None

    def wanted(self, memory: Mapping[str, object]) -> bool:
        """Whether it is this one, by what the device said before."""
        return self.when is None or self.when(memory)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A device file made ready."""

    file: DeviceFile
    channels: Mapping[str, Channel]
    framing: Framing
    asking: Asking
    codec: Codec
    meanings: Mapping[str, Meaning]
    requests: Mapping[str, Request]
    remembered: Mapping[str, tuple[str, ...]]
    memories: tuple[Memory, ...]


def compile_file(file: DeviceFile) -> Compiled:
    """Raises `ComplaintsError`: check values that are not what they should be."""
    channels = {table.name: channel(table) for table in file.channel}
    checks = tuple(_checks(file))
    framing = Framing(file.frame, checks)
    asking = Asking(framing, tuple(check for check, table in zip(checks, file.check, strict=True) if table.request))
    codec = Codec(file, framing)
    meanings = {
        table.name: meaning(codec.message(table.name), makers(codec.message(table.name), channels))
        for table in file.message
    }
    requests = {table.name: _request(table, asking, file.link) for table in file.request}
    remembered = {
        table.name: tuple(field.name for field in (*file.frame.header, *table.fields) if field.remember)
        for table in file.message
    }
    memories = tuple(Memory(table, _condition(table.when)) for table in file.memory)
    return Compiled(file, channels, framing, asking, codec, meanings, requests, remembered, memories)


def channel(table: ChannelTable) -> Channel:
    """A declared channel."""
    return Channel(
        name=table.name,
        title=table.title,
        unit=Unit(table.unit),
        kind=ChannelKind(table.kind),
        low=float("-inf") if table.low is None else table.low,
        high=float("inf") if table.high is None else table.high,
        resolution=table.resolution,
        states=table.states,
    )


def _checks(file: DeviceFile) -> Iterator[Check]:
    for number, table in enumerate(file.check):
        path: KeyPath = ("check", number)
        try:
            yield compiled(table)
        except ValueError as error:
            raise ComplaintsError([Complaint(path, f"check[{number}]: {error}")]) from None


def _request(table: RequestTable, asking: Asking, link: LinkTable) -> Request:
    template = parse_template(table.send)
    names = asking.slots(template)
    return Request(
        name=table.name,
        table=table,
        template=template,
        slots=names,
        packets=() if names else packets(link, asking.request(template, {})),
        when=_condition(table.when),
        unless=_condition(table.unless),
        replies=table.replies,
        period_s=table.period_s,
        timeout_s=table.timeout_s,
        idle_s=table.idle_s,
    )


def packets(link: LinkTable, data: bytes) -> tuple[Packet, ...]:
    """A request as the link carries it."""
    whole = uncut(link, data)
    piece = link.piece or len(data)
    if link.kind == "usb" or len(data) <= piece:
        return (whole,)
    return tuple(Packet(data[at : at + piece], whole.port) for at in range(0, len(data), piece))


def uncut(link: LinkTable, data: bytes) -> Packet:
    """A request as it is before it is cut into pieces."""
    return usb_write(link.endpoint_out, data) if link.kind == "usb" else Packet(data, link.write)


def _condition(table: dict[str, object] | None) -> Condition | None:
    return None if table is None else parse_condition(table)
