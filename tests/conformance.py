"""What every driver must do. Collected for each driver in `tests/drivers/test_conformance.py`."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from devicehub.cli.capture import transcript_options
from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.driver import Driver
from devicehub.model.device import ChannelKind, OptionValue
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Image, Measurement, Quality, Sample, Scan, Spectrum, Stored
from devicehub.record import Line, expectation, parse, run_transcript
from devicehub.registry import device_files
from devicehub.wire.packet import Packet, usb_port
from devicehub.wire.protocol import DeviceProtocol, Step

FIXTURES = Path(__file__).parent / "fixtures"
KINDS = {
    Measurement: {ChannelKind.MEASUREMENT, ChannelKind.STATE},
    Spectrum: {ChannelKind.SPECTRUM},
    Image: {ChannelKind.IMAGE},
    Scan: {ChannelKind.SCAN},
}


def transcripts(driver_name: str) -> list[Path]:
    """The transcripts of one driver."""
    return sorted((FIXTURES / driver_name.split(".")[1]).glob("*.txt"))


def replay(driver: Driver, capture: Path) -> tuple[list[str], list[str]]:
    """What a driver makes of a capture, and what it is to make of it: by the file beside it, else by itself."""
    text = capture.read_text(encoding="utf-8")
    written = expectation(capture) if expectation(capture).exists() else capture
    expected = parse(written.read_text(encoding="utf-8"), written.name)
    made = run_transcript(driver.open(options_of(text)), parse(text, capture.name))
    return [str(line) for line in made], [str(line) for line in expected]


def options_of(text: str) -> dict[str, OptionValue]:
    """A transcript may set options in a comment: `#: name = value` with a TOML value."""
    return transcript_options(text, "transcript")


@cache
def recorded_packets(driver_name: str) -> list[Packet]:
    """Every packet that the driver's transcripts, or the vectors of its device file, say came from the device."""
    if (path := device_files().get(driver_name)) is not None:
        compiled = load(path)
        port = next(iter(compiled.file.link.notify), "")
        port = usb_port(compiled.file.link.endpoint_in) if compiled.file.link.kind == "usb" else port
        vectors = [parse_bytes(vector.hex) for vector in compiled.file.vector if vector.request is None]
        return [Packet(piece, port) for data in vectors for piece in _reports(data, compiled.file.frame.report)]
    lines: list[Line] = []
    for path in transcripts(driver_name):
        lines.extend(parse(path.read_text(), path.name))
    return [line.packet for line in lines if line.sign == "<" and line.packet is not None]


def _reports(data: bytes, size: int) -> list[bytes]:
    """What a link that keeps borders carries at once."""
    return [data[at : at + size] for at in range(0, len(data), size)] if size else [data]


def check_step(driver: Driver, step: Step) -> None:
    """A step holds declared channels of the right kind, faults of ours only, and writes what the link lets through."""
    for packet in step.write:
        assert not driver.refuses(packet), packet
    assert all(isinstance(fault, ProtocolError) for fault in step.faults)
    for sample in step.samples:
        check_sample(driver, sample)


def check_sample(driver: Driver, sample: Sample) -> None:
    """A sample belongs to a declared channel."""
    if isinstance(sample, Stored):
        assert sample.record
        assert sample.age >= 0
        check_sample(driver, sample.sample)
    if isinstance(sample, Measurement | Spectrum | Image | Scan):
        channel = driver.channel(sample.channel)
        assert channel.kind in KINDS[type(sample)], f"{sample.channel} is declared {channel.kind}"
        if channel.kind is ChannelKind.STATE:
            assert isinstance(sample, Measurement)
            assert sample.label in channel.states


def measured(driver: Driver, step: Step) -> list[Sample]:
    """What a step tells of the device's surroundings and does not call bad, checked as in `check_step`."""
    check_step(driver, step)
    said = [sample.sample if isinstance(sample, Stored) else sample for sample in step.samples]
    return [sample for sample in said if getattr(sample, "quality", Quality.BAD) is not Quality.BAD]


def feed(driver: Driver, protocol: DeviceProtocol, packets: Iterator[Packet] | list[Packet]) -> list[Step]:
    """Give packets to a started protocol, 10 ms apart, firing its timers; each step is checked."""
    now = 0.0
    steps = [protocol.start(now)]
    for packet in packets:
        now += 0.01
        wake = steps[-1].wake_at
        if wake is not None and wake <= now:
            steps.append(protocol.on_timer(now))
            check_step(driver, steps[-1])
        steps.append(protocol.on_packet(now, packet))
        check_step(driver, steps[-1])
    return steps


def chunked(packets: list[Packet], random: Random) -> list[Packet]:
    """The same byte stream cut at random places (serial links only keep bytes, not borders)."""
    data = b"".join(packet.data for packet in packets)
    out, at = [], 0
    while at < len(data):
        size = random.choice((1, 2, 3, 7, 64, 1000))
        out.append(Packet(data[at : at + size]))
        at += size
    return out
