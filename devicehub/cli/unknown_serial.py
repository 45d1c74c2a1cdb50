"""An unknown device on a serial port: its bytes as they come. Nothing is ever written to it."""

import argparse
import os

from devicehub.cli.unknown_sheet import Sheet
from devicehub.discover import Descriptor, descriptors
from devicehub.driver import SerialLink
from devicehub.transport.blocking import Blocking
from devicehub.transport.serial import SerialTransport
from devicehub.transport.serial_ports import list_serial_ports


async def listen_serial(args: argparse.Namespace, sheet: Sheet) -> None:
    """Until the time is over. Raises `LinkError`."""
    link = SerialLink(baud=args.baud)
    transport = await SerialTransport.open(link, args.device, clock=sheet.clock, blocking=Blocking(args.device))
    try:
        identity = transport.identity
        usb = f", USB device {identity.usb}" if identity.usb else ""
        sheet.present = _present(args.device)
        sheet.begin(f"device at {args.baud} baud{usb}")
        await sheet.listen(transport.read, args.seconds)
    finally:
        await transport.close()


def _present(place: str) -> list[Descriptor]:
    found = descriptors(list_serial_ports(), ())
    return [one for one in found if os.path.realpath(one.place) == os.path.realpath(place)]
