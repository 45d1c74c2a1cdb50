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
    Trigger,
)
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step

_RUN = re.compile(rb"(.)\1{15,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `text` of a packet line is its port and bytes in canonical form."""

    at: float
    sign: str
    text: str
    packet: Packet | None = None

    def __str__(self) -> str:
        return f"{self.at:.2f} {self.sign} {self.text}"


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
    if len(words) < 2 or words[1] not in "><=!":
        raise ValueError("expected: SECONDS, one of > < = !, and the rest")
    at, sign, rest = float(words[0]), words[1], words[2].strip() if len(words) > 2 else ""
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
        digits, _, times = word.partition("*")
        data += bytes.fromhex(digits) * (int(times) if times else 1)
    return Packet(bytes(data), port)


def format_packet(packet: Packet) -> str:
    """A packet as it stands in a transcript; runs of sixteen equal bytes or more are written as repeats."""
    out, last = [], 0
    for run in _RUN.finditer(packet.data):
        out.append(packet.data[last : run.start()].hex(" "))
        out.append(f"{packet.data[run.start()]:02x}*{run.end() - run.start()}")
        last = run.end()
    out.append(packet.data[last:].hex(" "))
    words = [f"@{packet.port.replace(' ', '_')}"] if packet.port else []
    return " ".join([*words, *(part for part in out if part)])


def format_sample(sample: Sample) -> str:
    """A sample on one line: exact for what a person reads, a digest for pixels and spectra."""
    if isinstance(sample, Measurement | Image | Spectrum | Scan):
        return f"{sample.channel} {_content(sample)} {_quality(sample)}"
    return _notice(sample)


def _content(sample: Measurement | Image | Spectrum | Scan) -> str:
    match sample:
        case Measurement():
            return sample.label or f"{sample.value:.6g}"
        case Image():
            return f"{sample.width}x{sample.height} {sample.layout} {_digest(sample.data)} {sample.shutter}"
        case Spectrum():
            return f"{sample.mode or '-'} {sample.layout} {_digest(sample.data)}"
        case Scan():
            return f"{sample.symbology} {sample.data!r}"


def _notice(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> str:
    match sample:
        case Capability():
            return f"capability {sample.name} {sample.level} {sample.cause}".rstrip()
        case Identity():
            return "identity " + " ".join(f"{name}={value!r}" for name, value in sample.facts)
        case Trigger():
            return f"trigger {sample.name}"
        case DeviceAlarm():
            return f"alarm {sample.point} {'on' if sample.active else 'off'} {sample.text}".rstrip()
        case Result():
            peaks = " ".join(f"{peak.name}@{peak.position:.4g}" for peak in sample.peaks)
            return f"result {sample.outcome} {sample.sample_id} {peaks}".rstrip()


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
    """
    out: list[Line] = []
    step = protocol.start(0.0)
    out.extend(step_lines(0.0, step))
    given = [line for line in lines if line.sign == "<"]
    end = max((line.at for line in lines), default=0.0)
    for line in [*given, None]:
        until = line.at if line is not None else end
        while step.wake_at is not None and (step.wake_at < until or (line is None and step.wake_at <= until)):
            at = step.wake_at
            step = protocol.on_timer(at)
            out.extend(step_lines(at, step))
        if line is not None and line.packet is not None:
            out.append(line)
            step = protocol.on_packet(line.at, line.packet)
            out.extend(step_lines(line.at, step))
    return out
