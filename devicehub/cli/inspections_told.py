"""What the journal of the configured node holds of inspections. Shared by the `inspections` commands."""

import argparse
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.cli.alarms_told import JOURNAL
from devicehub.cli.given import given_config
from devicehub.cli.output import note
from devicehub.journal import tables
from devicehub.journal.happened import inspection_events
from devicehub.journal.report import reading
from devicehub.model.payload import InspectionData
from devicehub.publish.topics import Topics

OPEN: Final = "open"


class _Event(Struct, frozen=True):
    data: InspectionData


def inspections_told(args: argparse.Namespace) -> list[InspectionData]:
    """Each inspection as far as it is known, in the order in which they were opened; a hub is not disturbed.

    Of one that is open it is what was told last. What is illegible is counted aloud. Raises `ConfigProblems`,
    `CommandError` and `JournalError`.
    """
    config = given_config(args)
    prefix = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise).prefix
    with reading(config.hub.state / JOURNAL) as db:
        payloads = [*inspection_events(db, exercise=config.hub.exercise)]
        lasting = [one.out for one in tables.standing(db)]
    payloads += [out.payload for out in lasting if out.topic.startswith(f"{prefix}/inspection/")]
    found = _latest(payloads)
    return sorted(found.values(), key=lambda one: (one.opened, one.inspection))


def _latest(payloads: Iterable[bytes]) -> dict[str, InspectionData]:
    """By id. An end stays the end, whatever is told after it."""
    found: dict[str, InspectionData] = {}
    illegible = 0
    for payload in payloads:
        try:
            data = msgspec.json.decode(payload, type=_Event).data
        except msgspec.MsgspecError:
            illegible += 1
            continue
        known = found.get(data.inspection)
        if known is None or known.reason is None:
            found[data.inspection] = data
    if illegible:
        note(f"{illegible} events are damaged or of another make and were left out; see 'devicehub journal verify'")
    return found


def lasted(data: InspectionData) -> str:
    """Why it ended, or that it has not."""
    return OPEN if data.reason is None else data.reason.value


def came_out(data: InspectionData) -> str:
    """In a word; nothing while it lasts."""
    return "-" if data.outcome is None else data.outcome.value
