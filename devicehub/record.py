"""Transcripts: what went over a link and what was made of it, as a technician would write it on paper.

    # A sweep past a magazine; the second reply comes in two pieces, the third is damaged.
    0.00 > 05
    0.01 < 02 04 00 10 64 6c
    0.01 = metal-signal 16.0 1 good
    0.51 < 02 04 00 50 63 ff
    0.51 ! checksum

Each line: seconds since the link was opened, a sign, the rest. `>` to the device, `<` from the
device, `=` a sample, `!` a fault's reason. Bytes are hexadecimal; `c409*768` repeats `c409` 768
times; a port other than "" stands before the bytes as `@in:81`. Empty lines and `#` are comments.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

from devicehub.log import escaped
from devicehub.model.errors import ConfigError
from devicehub.model.reading import (
    Capability,
    DeviceAlarm,
    Identity,
    Image,
    Measurement,
    Result,
    Sample,
    Scan,
    Spectrum,
    Stored,
    Trigger,
)
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step

PACKET_MOST = 64 * 1024 * 1024
STANDSTILL = 1000

_RUN = re.compile(rb"(.)\1{15,}", re.DOTALL)
_SPACE = re.compile(r"\s")
_SIGNS = frozenset("><=!")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `text` of a packet line is its port and bytes in canonical form."""

    at: float
    sign: str
    text: str
    packet: Packet | None = None

    def __str__(self) -> str:
        return f"{self.at:.2f} {self.sign} {self.text}"


def expectation(capture: Path) -> Path:
    """Where it stands what a driver is to make of a capture, for one that does not say so itself."""
    return capture.with_suffix(".expected")


def parse(text: str, source: str = "transcript") -> list[Line]:
    """Read a transcript. Raises `ConfigError` naming source and line."""
    lines = []
    for number, raw in enumerate(text.splitlines(), 1):
        if raw.strip() and not raw.lstrip().startswith("#"):
            try:
                lines.append(_parse_line(raw))
            except ValueError as error:
                raise ConfigError(f"{source}:{number}: {error}") from None
    return lines


def _parse_line(raw: str) -> Line:
    words = raw.split(maxsplit=2)
    if len(words) < 2 or words[1] not in _SIGNS:
        raise ValueError("expected: SECONDS, one of > < = !, and the rest")
    at, sign, rest = float(words[0]), words[1], words[2].strip() if len(words) > 2 else ""
    if not 0 <= at < inf:
        raise ValueError(f"{words[0]} is no time after the link was opened")
    if sign in "=!":
        return Line(at, sign, rest)
    packet = parse_packet(rest)
    return Line(at, sign, format_packet(packet), packet)


def parse_packet(text: str) -> Packet:
    """`@port` and hexadecimal bytes with repeats to a packet. Raises `ValueError`."""
    words = text.split()
    port = words.pop(0)[1:] if words and words[0].startswith("@") else ""
    data = bytearray()
    for word in words:
        digits, star, times = word.partition("*")
        count = int(times) if star else 1
        if count < 1 or len(data) + len(digits) // 2 * count > PACKET_MOST:
            raise ValueError(f"{word}: a packet has at most {PACKET_MOST} bytes")
        data += bytes.fromhex(digits) * count
    return Packet(bytes(data), port)


def format_packet(packet: Packet) -> str:
    """A packet as it stands in a transcript; runs of sixteen equal bytes or more are written as repeats.

    White space in a port (a file's name) becomes `_`: a transcript is read by its words.
    """
    out, last = [], 0
    for run in _RUN.finditer(packet.data):
        out.append(packet.data[last : run.start()].hex(" "))
        out.append(f"{packet.data[run.start()]:02x}*{run.end() - run.start()}")
        last = run.end()
    out.append(packet.data[last:].hex(" "))
    words = [f"@{_SPACE.sub('_', packet.port)}"] if packet.port else []
    return " ".join([*words, *(part for part in out if part)])


def format_sample(sample: Sample) -> str:
    """A sample on one line: exact for what a person reads, a digest for pixels and spectra."""
    if isinstance(sample, Measurement | Image | Spectrum | Scan):
        return f"{sample.channel} {_content(sample)} {_quality(sample)}"
    if isinstance(sample, Stored):
        clock = "" if sample.clock is None else f" clock {sample.clock:.2f}"
        return f"stored {escaped(sample.record)} {sample.age:.6g} s ago{clock}: {format_sample(sample.sample)}"
    return _notice(sample)


def _content(sample: Measurement | Image | Spectrum | Scan) -> str:
    match sample:
        case Measurement():
            return sample.label or f"{sample.value:.6g}"
        case Image():
            return f"{sample.width}x{sample.height} {sample.layout} {_digest(sample.data)} {sample.shutter}"
        case Spectrum():
            return f"{sample.mode or '-'} {sample.layout} {_digest(sample.data)}{_defects(sample.defects)}"
        case Scan():
            return f"{sample.symbology} {sample.data!r}"


def _notice(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> str:
    match sample:
        case Capability():
            return f"capability {sample.name} {sample.level} {sample.cause}".rstrip()
        case Identity():
            return "identity " + " ".join(f"{name}={value!r}" for name, value in sample.facts)
        case Trigger():
            return f"trigger {escaped(sample.name)} {escaped(sample.note)}".rstrip()
        case DeviceAlarm():
            return f"alarm {sample.point} {'on' if sample.active else 'off'} {escaped(sample.text)}".rstrip()
        case Result():
            return _result(sample)


def _result(result: Result) -> str:
    named = [f"{escaped(peak.name)}@{peak.position:.4g}" for peak in result.peaks]
    named += [escaped(one.name) for one in result.identified]
    words = ["result", result.outcome, *([escaped(result.sample_id)] if result.sample_id else []), *named]
    return " ".join(words) + _defects(result.defects)


def _defects(defects: Iterable[str]) -> str:
    return "".join(f" ({escaped(text)})" for text in defects)


def _quality(sample: Measurement | Image | Spectrum | Scan) -> str:
    return f"{sample.quality}:{sample.cause}" if sample.cause else str(sample.quality)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()[:12]


def step_lines(at: float, step: Step) -> Iterator[Line]:
    """What a step did, as transcript lines: samples, faults, then writes."""
    for sample in step.samples:
        yield Line(at, "=", format_sample(sample))
    for fault in step.faults:
        yield Line(at, "!", str(fault.reason))
    for packet in step.write:
        yield Line(at, ">", format_packet(packet), packet)


def run_transcript(protocol: DeviceProtocol, lines: Iterable[Line]) -> list[Line]:
    """Feed the `<` lines of a transcript to a fresh protocol and give the whole transcript it makes.

    Timers fire at their time. The result equals the input when the protocol behaves as recorded.
    Raises `RuntimeError` for a protocol that asks to be woken for ever without time going on.
    """
    return _played(protocol, lines).out


def samples_of(protocol: DeviceProtocol, lines: Iterable[Line]) -> list[Sample]:
    """The samples that a fresh protocol makes of a transcript. Raises `RuntimeError` as `run_transcript` does."""
    return _played(protocol, lines).samples


def _played(protocol: DeviceProtocol, lines: Iterable[Line]) -> "_Player":
    played = _Player(protocol)
    lines = list(lines)
    for line in lines:
        if line.sign == "<" and line.packet is not None:
            played.timers(line.at, inclusive=False)
            played.packet(line, line.packet)
    played.timers(max((line.at for line in lines), default=0.0), inclusive=True)
    return played


class _Player:
    """A protocol at some time, and the transcript so far."""

    def __init__(self, protocol: DeviceProtocol) -> None:
        self._protocol = protocol
        self._step = protocol.start(0.0)
        self._turns = 0
        self.out = list(step_lines(0.0, self._step))
        self.samples = list(self._step.samples)

    def timers(self, until: float, *, inclusive: bool) -> None:
        """Fire what is due before `until`, or at it."""
        while (at := self._step.wake_at) is not None and (at < until or (inclusive and at == until)):
            self._take(at, self._protocol.on_timer(at))

    def packet(self, line: Line, packet: Packet) -> None:
        """The device said something."""
        self.out.append(line)
        self._take(line.at, self._protocol.on_packet(line.at, packet))

    def _take(self, at: float, step: Step) -> None:
        stands = step.wake_at is not None and step.wake_at <= at
        self._turns = self._turns + 1 if stands else 0
        if self._turns > STANDSTILL:
            raise RuntimeError(f"the protocol stands still at {at:.2f} s")
        self._step = step
        self.samples.extend(step.samples)
        self.out.extend(step_lines(at, step))
