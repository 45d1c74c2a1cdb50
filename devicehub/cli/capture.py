"""What technicians send: hexadecimal text, raw bytes or a transcript, as packets with times."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devicehub.driver import BleLink, Driver, FileLink, NetworkLink, Options, UsbLink, VideoLink
from devicehub.model.device import OptionValue
from devicehub.model.errors import ConfigError
from devicehub.record import parse
from devicehub.wire.packet import Packet, frame_port, usb_port
from devicehub.wire.protocol import DeviceProtocol, Step

LIMIT = 64 * 1024 * 1024
_LINE = re.compile(r"\s*\d+(\.\d+)?\s+[<>=!](\s|$)")
_BETWEEN = re.compile(r"[\s,:;-]+")


@dataclass(frozen=True, slots=True)
class Timed:
    """A packet from the device, and when: seconds since the link was opened."""

    at: float
    packet: Packet


class CaptureError(ValueError):
    """Text that is not hexadecimal."""


def is_transcript(text: str) -> bool:
    """Whether the first line that says anything is a transcript's."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return _LINE.match(next(lines, "")) is not None


def transcript_packets(text: str, source: str) -> list[Timed]:
    """What came from the device in a transcript. Raises `ConfigError` naming source and line."""
    return [Timed(line.at, line.packet) for line in parse(text, source) if line.sign == "<" and line.packet]


def transcript_options(text: str, source: str) -> dict[str, OptionValue]:
    """The driver's options that a transcript sets in `#: name = value` lines. Raises `ConfigError`."""
    try:
        return tomllib.loads("\n".join(line[2:] for line in text.splitlines() if line.startswith("#:")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: options after '#:': {error}") from None


def hex_packets(text: str, port: str) -> list[Timed]:
    """Hexadecimal text: each line that has bytes is a packet of `port`, unless `@port` stands before it.

    Spaces, commas, colons and dashes between bytes and `0x` before them are skipped; `c409*768` is
    768 times `c409`; `#` begins a comment. Raises `CaptureError` naming the line.
    """
    packets = []
    room = LIMIT
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        where = words.pop(0)[1:] if words and words[0].startswith("@") else port
        try:
            data = _bytes(" ".join(words), room)
        except ValueError as error:
            raise CaptureError(f"line {number}: {error}") from None
        room -= len(data)
        if data:
            packets.append(Timed(0.0, Packet(data, where)))
    return packets


def _bytes(text: str, room: int) -> bytes:
    out = bytearray()
    for word in filter(None, _BETWEEN.split(text)):
        digits, star, count = word.partition("*")
        digits = digits.removeprefix("0x").removeprefix("0X")
        if star and not count.isdecimal():
            raise ValueError(f"'{word}': a number must follow the *")
        if len(digits) % 2 or not re.fullmatch("[0-9A-Fa-f]+", digits):
            raise ValueError(f"'{word[:40]}' is not pairs of hexadecimal digits")
        times = int(count[:12]) if star else 1
        if len(digits) // 2 * times > room - len(out):
            raise ValueError(f"more than {LIMIT} bytes")
        out += bytes.fromhex(digits) * times
    return bytes(out)


def natural_port(driver: Driver, options: Options, name: str = "") -> str:
    """Where bytes of this driver's device arrive when nobody says: see `devicehub.wire.packet`.

    `name`: of the file they are from. For USB it is the endpoint that the driver asks first, else 81.
    """
    match driver.link:
        case BleLink(notify=notify):
            return notify[0] if notify else ""
        case VideoLink(formats=formats):
            return frame_port(formats[0].fourcc, formats[0].width, formats[0].height)
        case FileLink(patterns=patterns):
            return name or patterns[0].replace("*", "capture")
        case UsbLink():
            written = driver.open(options).start(0.0).write
            asked = [packet.port.split(":")[1] for packet in written if packet.port.startswith("in:")]
            return usb_port(int(asked[0], 16) if asked else 0x81)
        case NetworkLink(scheme=scheme):
            return scheme
    return ""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where bytes of a device can arrive: a regular expression, and the same in words."""

    pattern: str
    words: str


def ports(driver: Driver) -> Ports:
    """The ports that packets from this driver's device can have: see `devicehub.wire.packet`."""
    match driver.link:
        case BleLink(notify=notify):
            return Ports(
                "|".join(map(re.escape, notify)), f"the characteristics of {driver.name} are {', '.join(notify)}"
            )
        case VideoLink(formats=formats):
            names = [frame_port(one.fourcc, one.width, one.height) for one in formats]
            words = f"the ports of {driver.name} are {', '.join(names)}, frame-error and key"
            return Ports("|".join(map(re.escape, [*names, "frame-error", "key"])), words)
        case UsbLink():
            words = "a port of a USB device is in:EP, ctl:RT:RQ:VALUE:INDEX:SIZE or the same with stall:, as in:81"
            return Ports(
                r"in:[0-9a-f]{2}|(ctl|stall):[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}(:\d{1,5})?", words
            )
        case FileLink():
            return Ports(r"[^/\0]+", "the port of a watch-folder device is a file's name")
        case NetworkLink(scheme=scheme):
            return Ports(f"{scheme}|local", f"the ports of {driver.name} are {scheme} and local")
    return Ports("", "a serial device has no ports; leave --port away")


def play(protocol: DeviceProtocol, packets: Sequence[Timed]) -> Iterator[tuple[float, Step]]:
    """Feed packets to a fresh protocol at their times, firing its timers in between; each step with its time."""
    step = protocol.start(0.0)
    yield 0.0, step
    for timed in packets:
        while step.wake_at is not None and step.wake_at < timed.at:
            at = step.wake_at
            step = protocol.on_timer(at)
            yield at, step
        step = protocol.on_packet(timed.at, timed.packet)
        yield timed.at, step
