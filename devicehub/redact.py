"""Takes serial numbers, scanned data and what people wrote out of a transcript. Pure.

There are other bytes of the same length at the same places. What is secret is what the driver itself finds: the data of
scans, the item, note and operator of results, and what tells one device from another of its kind or whose it is
(`TELLING`, words in the name of a fact). Their bytes are replaced wherever they stand, letter by letter and digit by
digit, those that are no text (a tag's number) with zeros, whole or in the pieces that frames cut them into.
Checks are made right again, by the device file where the driver is one, else where one stands at the end of a packet.
What the driver then makes of the bytes is the new transcript, and a frame that does not pass its check any more a fault
in it. Pixels and spectra stay as they are.
"""

import binascii
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, Literal

from devicehub.model.reading import Identity, Result, Sample, Scan
from devicehub.record import Line, format_packet, run_transcript, samples_of
from devicehub.wire.checksum import crc16_ccitt_false, negated_sum16, sum8, sum16, xor8
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Reseal

TELLING: Final = frozenset(
    {"address", "id", "label", "location", "mac", "name", "number", "owner"}
    | {"place", "position", "serial", "site", "unit", "user", "username"}
)
SHORTEST: Final = 4
ITEM: Final = "an item screened"
_FIRST: Final = 16
_MARKS: Final = frozenset("\r\n\t\x04\x1d\x1e")  # those that codes hold: GS, RS, EOT

Check = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Redaction:
    """The new transcript. `values`: how many were replaced. `broken`: faults that the old one had not.

    `left`: what could not be found among the bytes, and may still be there in another form.
    """

    lines: list[Line]
    values: int
    broken: int
    left: tuple[str, ...]


def redacted(
    lines: Sequence[Line], protocol: Callable[[], DeviceProtocol], *, rename: bool = False, reseal: Reseal | None = None
) -> Redaction:
    """A transcript without them.

    `protocol`: a fresh one. `rename`: ports are names of files, which may tell. `reseal`: of a driver that knows how.
    """
    found = dict(_secrets(samples_of(protocol(), lines)))
    streams = _Streams(line.packet for line in lines if line.sign == "<" and line.packet is not None)
    secrets = {
        value: name
        for value, name in sorted(found.items(), key=lambda one: -len(one[0]))
        if value != _other(value)(value) and not (name == ITEM and streams.made_up(value))
    }
    left = [name for value, name in secrets.items() if not streams.replace(value)]
    packets = iter(streams.packets(rename=rename, reseal=reseal))
    heard = [_with(line, next(packets)) for line in lines if line.sign == "<" and line.packet is not None]
    made = run_transcript(protocol(), heard)
    still = {value for value, _ in _secrets(samples_of(protocol(), heard))} & set(secrets)
    left += [secrets[value] for value in still]
    broken = sum(line.sign == "!" for line in made) - sum(line.sign == "!" for line in lines)
    return Redaction(made, len(secrets) - len(set(left)), max(broken, 0), tuple(sorted(set(left))))


def secrets_in(sample: Sample) -> list[bytes]:
    """What `redacted` would put out of the bytes for the sake of a sample."""
    return [value for value, _ in _secrets([sample]) if value != _other(value)(value)]


def put_out(packets: Iterable[Packet], secrets: Iterable[bytes]) -> list[Packet]:
    """Packets with something else in the place of secrets that are known; checks are not made right again."""
    streams = _Streams(packets)
    for value in sorted(secrets, key=lambda one: -len(one)):
        streams.replace(value)
    return list(streams.packets(rename=False, reseal=lambda _, new: new))


def _secrets(samples: Iterable[Sample]) -> Iterator[tuple[bytes, str]]:
    """What is secret in samples, each with words for it."""
    for sample in samples:
        if isinstance(sample, Scan):
            yield sample.data, f"a scan of {sample.channel}"
        elif isinstance(sample, Result):
            written = [(sample.sample_id, ITEM), (sample.operator, "an operator")]
            written += [(part, "a note") for part in sample.note.split(": ")]
            yield from ((text.encode(), name) for text, name in written if len(text) >= SHORTEST)
        elif isinstance(sample, Identity):
            yield from ((value.encode(), name) for name, value in sample.facts if TELLING & set(name.split("-")))


def _with(line: Line, packet: Packet) -> Line:
    return Line(line.at, line.sign, format_packet(packet), packet)


class _Streams:
    """The bytes of each port as one, packets being places in them."""

    def __init__(self, packets: Iterable[Packet]) -> None:
        self._old = list(packets)
        self._data: dict[str, bytearray] = {}
        for packet in self._old:
            self._data.setdefault(packet.port, bytearray()).extend(packet.data)

    def made_up(self, item: bytes) -> bool:
        """Whether what was screened has its name from the driver: the number of a run, a file's name."""
        named = item.isdigit() or any(item in port.encode() for port in self._data)
        return named and not any(item in data for data in self._data.values())

    def replace(self, value: bytes) -> bool:
        """Put something else in its place, in each form that devices send text in; False if it is nowhere."""
        found = [self._pieces(form, _other(value)) for form in _letter_forms(value)]
        found += [self._pieces(form, _zeros) for form in _number_forms(value)]
        return any(found)

    def _pieces(self, value: bytes, filled: Callable[[bytes], bytes]) -> bool:
        at, found = 0, False
        while at < len(value):
            length = self._longest(value, at)
            if length < min(SHORTEST, len(value)):
                at += 1
                continue
            self._fill(value[at : at + length], filled(value[at : at + length]))
            at, found = at + length, True
        return found

    def _longest(self, value: bytes, at: int) -> int:
        """How much of the value from there on stands somewhere in one piece."""
        low, high = 0, len(value) - at
        while low < high:
            middle = (low + high + 1) // 2
            if any(value[at : at + middle] in data for data in self._data.values()):
                low = middle
            else:
                high = middle - 1
        return low

    def _fill(self, piece: bytes, other: bytes) -> None:
        for data in self._data.values():
            start = 0
            while (start := data.find(piece, start)) >= 0:
                data[start : start + len(piece)] = other
                start += len(piece)

    def packets(self, *, rename: bool, reseal: Reseal | None) -> Iterator[Packet]:
        """The packets again, sealed as they were."""
        places = dict.fromkeys(self._data, 0)
        names = {port: f"file-{number}{PurePath(port).suffix}" for number, port in enumerate(self._data, 1)}
        for old in self._old:
            start = places[old.port]
            places[old.port] = end = start + len(old.data)
            new = bytes(self._data[old.port][start:end])
            if new != old.data:
                new = _sealed(old.data, new) if reseal is None else reseal(old.data, new)
            yield Packet(new, names[old.port] if rename else old.port)


def _letter_forms(value: bytes) -> list[bytes]:
    """As it is, in Latin-1, and in two bytes a letter."""
    text = value.decode(errors="replace")
    forms = [value, text.encode("utf-16-le"), text.encode("utf-16-be")]
    with suppress(UnicodeEncodeError):
        forms.append(text.encode("latin-1"))
    return list(dict.fromkeys(forms))


def _number_forms(value: bytes) -> list[bytes]:
    """The bytes that hexadecimal text stands for, and a number of 32 bits, either way round."""
    forms = []
    with suppress(ValueError):
        forms.append(binascii.unhexlify(value))
    if value.isdigit() and 0xFFFF < int(value) <= 0xFFFFFFFF:
        forms.append(int(value).to_bytes(4, "little"))
    return [way for form in forms if len(form) >= SHORTEST for way in (form, form[::-1])]


def _zeros(value: bytes) -> bytes:
    return bytes(len(value))


def _other(value: bytes) -> Callable[[bytes], bytes]:
    """What is put in the place of a value, or of a piece of it."""
    text = value.decode(errors="replace")
    return (
        _filled if all(letter in _MARKS or letter.isprintable() for letter in text) and "\ufffd" not in text else _zeros
    )


def _filled(value: bytes) -> bytes:
    return bytes(map(_filler, value))


def _filler(byte: int) -> int:
    letter = chr(byte)
    if not letter.isascii() or not letter.isalnum():
        return byte if byte < 0x80 else 0xBF
    return ord("0" if letter.isdigit() else "X" if letter.isupper() else "x")


def _number(check: Callable[[bytes], int], size: int, order: Literal["big", "little"]) -> Check:
    return lambda data: check(data).to_bytes(size, order)


def _letters(check: Callable[[bytes], int], size: int) -> Check:
    return lambda data: f"{check(data):0{size}X}".encode()


_CHECKS: Final[Mapping[str, tuple[Check, int]]] = MappingProxyType(
    {
        "CRC-32 in letters": (_letters(zlib.crc32, 8), 8),
        "CRC-32": (_number(zlib.crc32, 4, "little"), 4),
        "CRC-16": (_number(crc16_ccitt_false, 2, "little"), 2),
        "CRC-16 big": (_number(crc16_ccitt_false, 2, "big"), 2),
        "negated sum": (_number(negated_sum16, 2, "big"), 2),
        "sum": (_number(sum16, 2, "little"), 2),
        "sum big": (_number(sum16, 2, "big"), 2),
        "XOR in letters": (_letters(xor8, 2), 2),
        "XOR": (_number(xor8, 1, "big"), 1),
        "sum of 8 bits": (_number(sum8, 1, "big"), 1),
    }
)


def _sealed(old: bytes, new: bytes) -> bytes:
    """`new` with the check value made right that `old` has at its end, or before a last byte, if it has one."""
    for check, size in _CHECKS.values():
        for behind in (0, 1, 2):
            end = len(old) - behind - size
            for start in range(min(_FIRST if size > 1 else 3, end)):
                if check(old[start:end]) == old[end : end + size]:
                    return new[:end] + check(new[start:end]) + new[end + size :]
    return new
