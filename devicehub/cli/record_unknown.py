"""`devicehub record PORT`: what an unknown device on a serial port says unasked, and which drivers may fit it."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import new_file, note, print_json, say
from devicehub.cli.site import fitting_drivers
from devicehub.clock import Clock
from devicehub.discover import Candidate, Descriptor, by_bytes, candidates, descriptors
from devicehub.driver import Driver, SerialLink
from devicehub.model.instant import instant
from devicehub.record import Line, format_packet
from devicehub.transport.blocking import Blocking
from devicehub.transport.link import Transport
from devicehub.transport.serial import SerialTransport
from devicehub.transport.serial_ports import list_serial_ports
from devicehub.wire.packet import Packet

ENOUGH = 200


def record_port(args: argparse.Namespace) -> int:
    """Listen until the time is over, the link is lost (69) or Ctrl-C (130); nothing is ever written to the device."""
    if args.redact:
        raise CommandError(Exit.USAGE, "--redact needs a driver, which says what is to be put out")
    path: Path = args.out
    heard: list[Packet] = []
    drivers = fitting_drivers(args)
    with new_file(path, mode=0o600) as stream:
        note(f"recording {args.device} at {args.baud} baud to {path}; it is only listened to")
        try:
            asyncio.run(_listen(args, stream, heard))
        finally:
            if not stream.tell():
                path.unlink()
            else:
                fits = _fits(args.device, heard, drivers)
                stream.writelines(f"# May be {one.driver} ({one.score:.1f}: {one.why}).\n" for one in fits)
                _tell(heard, fits, as_json=args.json)
    return Exit.OK


async def _listen(args: argparse.Namespace, stream: TextIO, heard: list[Packet]) -> None:
    clock = Clock()
    link = SerialLink(baud=args.baud)
    transport = await SerialTransport.open(link, args.device, clock=clock, blocking=Blocking(args.device))
    try:
        identity = transport.identity
        usb = f", USB device {identity.usb}" if identity.usb else ""
        stream.write(f"# Unknown device at {args.baud} baud{usb}, recorded {instant(clock.utc())}.\n")
        stream.flush()
        async with asyncio.timeout(args.seconds):
            await _write_down(transport, stream, heard, clock)
    except TimeoutError:
        return
    finally:
        await transport.close()


async def _write_down(transport: Transport, stream: TextIO, heard: list[Packet], clock: Clock) -> None:
    began = clock.monotonic()
    while True:
        packet = await transport.read()
        stream.write(f"{Line(clock.monotonic() - began, '<', format_packet(packet), packet)}\n")
        heard.append(packet)


def _fits(place: str, heard: Sequence[Packet], drivers: Sequence[Driver]) -> list[Candidate]:
    """By what the port says of itself and by what came; a driver that both speak for is named once, for the better."""
    found = [one for port in _present(place) for one in candidates(port, drivers)]
    best: dict[str, Candidate] = {}
    for one in sorted([*found, *by_bytes(heard[:ENOUGH], drivers)], key=lambda one: -one.score):
        best.setdefault(one.driver, one)
    return list(best.values())


def _present(place: str) -> list[Descriptor]:
    found = descriptors(list_serial_ports(), ())
    return [one for one in found if os.path.realpath(one.place) == os.path.realpath(place)]


def _tell(heard: Sequence[Packet], fits: Sequence[Candidate], *, as_json: bool) -> None:
    size = sum(len(packet.data) for packet in heard)
    if as_json:
        named = [{"driver": one.driver, "score": one.score, "why": one.why} for one in fits]
        print_json({"received": len(heard), "bytes": size, "candidates": named})
        return
    say(f"{len(heard)} received, {size} bytes")
    for one in fits:
        say(f"may be {one.driver} ({one.score:.1f}: {one.why})")
    if not fits:
        note("no driver fits; a device that speaks only when asked says nothing here, and another --baud may be right")
