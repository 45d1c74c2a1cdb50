"""`devicehub inspections show`: one inspection whole."""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.inspections_told import OPEN, came_out, inspections_told, lasted
from devicehub.cli.output import print_json, print_table, say
from devicehub.log import escaped
from devicehub.model.payload import InspectionData

_Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def run(args: argparse.Namespace) -> int:
    """Print what was checked, by which device, and how it came out. 66 where no such inspection is on record."""
    found = [one for one in inspections_told(args) if args.inspection in {"", one.inspection}]
    if not found:
        hint = "; 'devicehub inspections list' shows all"
        raise CommandError(Exit.NO_INPUT, f"no inspection {args.inspection}".rstrip() + f" is on record{hint}")
    data = found[-1]
    if args.json:
        print_json(msgspec.to_builtins(data))
        return Exit.OK
    print_table(("INSPECTION", data.inspection), [*_facts(data)])
    for title, titles, rows in _tables(data):
        if rows:
            say(f"\n{title}")
            print_table(titles, rows)
    if data.left_out:
        say(f"\n{data.left_out} more are on record with this id and are not in the summary")
    return Exit.OK


def _facts(data: InspectionData) -> Iterator[tuple[str, str]]:
    ended = lasted(data)
    facts = {
        "desk": data.desk,
        "opened": f"{data.opened} by {data.how.value} {escaped(data.by or data.device)}".rstrip(),
        "reference": escaped(data.reference),
        "subject": data.subject,
        "ended": ended if ended == OPEN else f"{data.ended or 'nobody knows when'} {ended} {escaped(data.closed_by)}",
        "note": escaped(data.note),
        "outcome": came_out(data),
    }
    return ((name, text.rstrip()) for name, text in facts.items() if text)


def _tables(data: InspectionData) -> Iterator[_Table]:
    checked = [
        (one.device, str(one.values), str(one.spectra), str(one.frames), str(one.scans), str(one.unusable))
        for one in data.checked
    ]
    yield "checked", ("DEVICE", "VALUES", "SPECTRA", "FRAMES", "SCANS", "UNUSABLE"), checked
    results = [
        (one.at, one.device, one.outcome.value, one.cause.value, one.source.value, escaped(one.sample_id) or "-")
        for one in data.results
    ]
    yield "results", ("AT", "DEVICE", "OUTCOME", "CAUSE", "BY", "SAMPLE"), results
    alarms = [
        (
            f"{one.device}/{one.point}",
            one.priority.value,
            one.category.value,
            one.state.value,
            "-" if one.disposition is None else one.disposition.code.value,
            "before" if one.earlier else "meanwhile",
        )
        for one in data.alarms
    ]
    yield "alarms", ("ALARM", "PRIORITY", "ABOUT", "STATE", "DISPOSITION", "CAME"), alarms
    yield "images", ("DEVICE", "DIGEST"), [(one.device, one.digest) for one in data.images]
    blind = [(one.device, one.capability, one.level.value, one.cause.value) for one in data.blind]
    yield "not detected in full", ("DEVICE", "WHAT", "LEVEL", "CAUSE"), blind
    missing = [(one.device, one.reason.value, one.since or "-", one.until or "-", str(one.count or "-"))
               for one in data.missing]  # fmt: skip
    yield "missing", ("DEVICE", "WHY", "FROM", "TO", "COUNT"), missing
