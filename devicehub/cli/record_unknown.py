"""`devicehub record PLACE`: what a device without a driver says unasked, and which drivers may fit it."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import new_file, note, print_json, say
from devicehub.cli.site import fitting_drivers
from devicehub.cli.unknown_ble import listen_ble
from devicehub.cli.unknown_place import Way, must_be_open_to_us, way_to
from devicehub.cli.unknown_serial import listen_serial
from devicehub.cli.unknown_sheet import Sheet
from devicehub.cli.unknown_usb import listen_usb
from devicehub.clock import Clock
from devicehub.discover import Candidate, by_bytes, candidates
from devicehub.driver import Driver

Listen = Callable[[argparse.Namespace, Sheet], Coroutine[object, object, None]]
WAYS: Mapping[Way, Listen] = {Way.SERIAL: listen_serial, Way.BLE: listen_ble, Way.USB: listen_usb}
_SAYS = {
    Way.SERIAL: "a device that speaks only when asked says nothing here, and another --baud may be right",
    Way.BLE: "a device that notifies only when asked says nothing here",
    Way.USB: "a device that speaks only when asked says nothing here",
}


def record_unknown(args: argparse.Namespace, ways: Mapping[Way, Listen] = WAYS) -> int:
    """Listen until the time is over, the link is lost (69) or Ctrl-C (130); the device is told nothing."""
    if args.redact:
        raise CommandError(Exit.USAGE, "--redact needs a driver, which says what is to be put out")
    way = way_to(args.device)
    if way is None:
        raise CommandError(Exit.USAGE, f"'{args.device}' is no place of a device")
    must_be_open_to_us(args.device)
    path: Path = args.out
    drivers = fitting_drivers(args)
    with new_file(path, mode=0o600) as stream:
        sheet = Sheet(stream, Clock())
        note(f"recording {args.device} to {path}; it is only listened to, what it tells of itself is in the file")
        try:
            asyncio.run(ways[way](args, sheet))
        finally:
            if not sheet.begun:
                path.unlink()
            else:
                fits = _fits(sheet, drivers)
                for one in fits:
                    sheet.remark(f"May be {one.driver} ({one.score:.1f}: {one.why}).")
                _tell(sheet, fits, _SAYS[way], as_json=args.json)
    return Exit.OK


def _fits(sheet: Sheet, drivers: Sequence[Driver]) -> list[Candidate]:
    """By what it is and by what came; a driver that both speak for is named once, for the better."""
    found = [one for present in sheet.present for one in candidates(present, drivers)]
    best: dict[str, Candidate] = {}
    for one in sorted([*found, *by_bytes(sheet.heard, drivers)], key=lambda one: -one.score):
        best.setdefault(one.driver, one)
    return list(best.values())


def _tell(sheet: Sheet, fits: Sequence[Candidate], silent: str, *, as_json: bool) -> None:
    if as_json:
        named = [{"driver": one.driver, "score": one.score, "why": one.why} for one in fits]
        print_json({"received": sheet.packets, "bytes": sheet.bytes, "candidates": named})
        return
    say(f"{sheet.packets} received, {sheet.bytes} bytes")
    for one in fits:
        say(f"may be {one.driver} ({one.score:.1f}: {one.why})")
    if not fits:
        note(f"no driver fits; {silent}")
