"""`devicehub devices scan`: what is plugged in or near, and which drivers may fit."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from devicehub.cli.exits import Exit, exit_code
from devicehub.cli.output import note, print_json, print_table
from devicehub.cli.site import fitting_drivers
from devicehub.clock import Clock
from devicehub.discover import Candidate, Descriptor, Kind, announced, candidates, descriptors
from devicehub.driver import Driver, NetworkLink
from devicehub.model.errors import LinkError
from devicehub.transport.beacons import listen
from devicehub.transport.ble_radio import BleRadio, Peripheral
from devicehub.transport.serial_ports import list_serial_ports
from devicehub.transport.sysfs import snapshot

SYSFS = Path("/sys")
Found = tuple[Descriptor, list[Candidate]]


def run(args: argparse.Namespace) -> int:
    """Print the hardware that is present.

    69 or 77 when `--ble` or `--network` cannot listen; the rest is printed in any case.
    """
    drivers = fitting_drivers(args)
    hardware = descriptors(list_serial_ports(), snapshot(SYSFS) if SYSFS.is_dir() else (), drivers)
    code = Exit.OK
    for seconds, what, listening in ((args.ble, "Bluetooth", _radio), (args.network, "the network", _network)):
        if seconds is not None:
            trouble, heard = _listen(what, listening, seconds, drivers)
            code = code or trouble
            hardware += heard
    found = [(one, candidates(one, drivers)) for one in hardware]
    if args.json:
        print_json([_json(descriptor, fits) for descriptor, fits in found])
    else:
        _print(found, listened=args.ble is not None and args.network is not None)
    return code


def _listen(
    what: str,
    listening: Callable[[float, Sequence[Driver]], list[Descriptor]],
    seconds: float,
    drivers: Sequence[Driver],
) -> tuple[Exit, list[Descriptor]]:
    try:
        return Exit.OK, listening(seconds, drivers)
    except LinkError as error:
        note(f"devicehub: {what} was not listened to: {error}")
        return exit_code(error) or Exit.UNAVAILABLE, []


def _radio(seconds: float, drivers: Sequence[Driver]) -> list[Descriptor]:
    del drivers
    return [from_peripheral(one) for one in asyncio.run(BleRadio().discover(seconds))]


def _network(seconds: float, drivers: Sequence[Driver]) -> list[Descriptor]:
    links = (driver.link for driver in drivers)
    beacons = [link.beacon for link in links if isinstance(link, NetworkLink) and link.beacon is not None]
    return announced(asyncio.run(listen({one.port for one in beacons}, seconds, Clock())), drivers)


def from_peripheral(one: Peripheral) -> Descriptor:
    """A Bluetooth device that was heard."""
    return Descriptor(kind=Kind.BLE, place=one.address, title=one.name, services=one.services)


def _json(descriptor: Descriptor, fits: list[Candidate]) -> dict[str, object]:
    return {
        "kind": str(descriptor.kind),
        "place": descriptor.place,
        "usb": str(descriptor.usb or ""),
        "serial": descriptor.serial,
        "title": descriptor.title,
        "candidates": [{"driver": one.driver, "score": one.score, "why": one.why} for one in fits],
    }


def _print(found: Sequence[Found], *, listened: bool) -> None:
    rows = [
        (
            str(descriptor.kind),
            descriptor.place,
            str(descriptor.usb or ""),
            descriptor.serial,
            descriptor.title,
            ", ".join(f"{one.driver} ({one.score:.1f}: {one.why})" for one in fits),
        )
        for descriptor, fits in found
    ]
    print_table(("KIND", "PLACE", "USB", "SERIAL", "TITLE", "CANDIDATES"), rows)
    if not found:
        more = "; --ble SECONDS listens for Bluetooth devices too, --network SECONDS for Wi-Fi cameras"
        note("nothing is plugged in" + ("" if listened else more))
    for descriptor, fits in found:
        if fits:
            note(f"\nto use it, add to the configuration:\n{_snippet(descriptor, fits[0])}")


def _snippet(descriptor: Descriptor, best: Candidate) -> str:
    stem = best.driver.partition(".")[2].replace("_", "-")
    key = "address" if descriptor.kind is Kind.BLE else "port"
    return f'[[device]]\nid = "{stem}"\ndriver = "{best.driver}"\n{key} = "{descriptor.place}"'
