"""`devicehub drivers decode`: bytes that a technician sent, to JSON lines."""

import argparse
import re
import sys
from pathlib import Path

from devicehub.cli.capture import (
    LIMIT,
    CaptureError,
    Timed,
    hex_packets,
    is_transcript,
    natural_port,
    play,
    ports,
)
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_driver, given_options, given_transcript
from devicehub.cli.output import note, print_line
from devicehub.cli.samples import fault_json, sample_json
from devicehub.cli.site import site_folder
from devicehub.driver import Driver, Options
from devicehub.wire.packet import Packet


def run(args: argparse.Namespace) -> int:
    """Print each sample and each fault. 0 if there was a sample, else 65."""
    driver = given_driver(args.name, site_folder(args))
    packets, options = _input(args, driver)
    samples = faults = 0
    for _, step in play(driver.open(options), packets):
        for sample in step.samples:
            print_line(sample_json(sample, driver))
        for fault in step.faults:
            print_line(fault_json(fault))
        samples += len(step.samples)
        faults += len(step.faults)
    if not samples and not faults:
        size = sum(len(timed.packet.data) for timed in packets)
        note(f"devicehub: driver {driver.name} finds nothing in {size} bytes: no complete frame, or not its own")
    return Exit.OK if samples else Exit.BAD_INPUT


def _input(args: argparse.Namespace, driver: Driver) -> tuple[list[Timed], Options]:
    given = given_options(driver, args.option)
    if args.file is not None and args.hex:
        raise CommandError(Exit.USAGE, "give hexadecimal bytes or --file, not both")
    if args.file is None:
        text = sys.stdin.read(LIMIT) if args.hex in ([], ["-"]) else " ".join(args.hex)
        content, name = text.encode(errors="surrogateescape"), ""
    else:
        content, name = _read(args.file), args.file.name
    form = args.form if args.form != "auto" else _form(content, raw=args.file is not None)
    port = natural_port(driver, given, name) if args.port is None else _port(driver, args.port)
    if form == "raw":
        return [Timed(0.0, Packet(content, port))], given
    text = content.decode(errors="replace")
    if form == "transcript":
        source = name or "transcript"
        return given_transcript(driver, text, source, given)
    try:
        return hex_packets(text, port), given
    except CaptureError as error:
        raise CommandError(Exit.BAD_INPUT, f"{name or 'hexadecimal bytes'}: {error}") from None


def _port(driver: Driver, port: str) -> str:
    """`--port`, if bytes of that kind of link can arrive there. Raises `CommandError`."""
    where = ports(driver)
    if not re.fullmatch(where.pattern, port):
        raise CommandError(Exit.USAGE, f"--port {port}: {where.words}")
    return port


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise CommandError(Exit.BAD_INPUT, f"{path}: larger than {LIMIT} bytes")
    return content


def _form(content: bytes, *, raw: bool) -> str:
    """Text that reads as a transcript or as hexadecimal is that; any other file is raw bytes."""
    try:
        text = content.decode()
        if is_transcript(text):
            return "transcript"
        hex_packets(text, "")
    except ValueError:
        return "raw" if raw else "hex"
    return "hex"
