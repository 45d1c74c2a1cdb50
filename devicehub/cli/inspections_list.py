"""`devicehub inspections list`: which inspections there were, and which are open."""

import argparse
from datetime import datetime

import msgspec

from devicehub.cli.alarms_told import since_utc
from devicehub.cli.exits import Exit
from devicehub.cli.inspections_told import came_out, inspections_told, lasted
from devicehub.cli.output import print_json, print_table, say
from devicehub.clock import Clock
from devicehub.log import escaped
from devicehub.model.payload import InspectionData

TITLES = ("OPENED", "DESK", "INSPECTION", "BY", "REFERENCE", "ENDED", "OUTCOME", "ALARMS", "IMAGES")


def run(args: argparse.Namespace) -> int:
    """Print them, the newest last."""
    since = since_utc(args, Clock())
    found = [one for one in inspections_told(args) if _wanted(one, args, since)]
    if args.json:
        print_json([msgspec.to_builtins(one) for one in found])
    elif found:
        print_table(TITLES, [_row(one) for one in found])
    else:
        say("no inspection is on record")
    return Exit.OK


def _wanted(one: InspectionData, args: argparse.Namespace, since: float | None) -> bool:
    late = since is None or datetime.fromisoformat(one.opened).timestamp() >= since
    return late and args.desk in {None, one.desk} and (not args.open or one.reason is None)


def _row(one: InspectionData) -> tuple[str, ...]:
    said = (one.by or one.device, one.reference)
    who, reference = (escaped(cell) or "-" for cell in said)
    counts = (str(len(one.alarms)), str(len(one.images)))
    return (one.opened, one.desk, one.inspection, who, reference, lasted(one), came_out(one), *counts)
