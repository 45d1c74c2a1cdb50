"""What earlier runs left: states that a broker retains of their devices, alarms that stood, an end without goodbye."""

import logging
from collections.abc import Iterable, Sequence

from devicehub.commands.memory import Known, recalled
from devicehub.commands.request import FURTHEST
from devicehub.core import StandingAlarm
from devicehub.hub.voice import Voice
from devicehub.journal import Entry, Journal, recall
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import GapData, InspectionData
from devicehub.model.reading import Stamp
from devicehub.publish.envelope import stored_alarm, stored_inspection
from devicehub.publish.topics import Topics

_log = logging.getLogger(__name__)

# A command may wait as long as its deadline allows, and takes its time after that.
REMEMBERED = 2 * FURTHEST
RETAINED = (Kind.DESCRIBE, Kind.DEVICE, Kind.CAPABILITY, Kind.STATE)


def forgotten(voice: Voice, devices: Iterable[str], kinds: Sequence[Kind] = RETAINED) -> list[Message]:
    """Deletes what the broker retains of devices."""
    return [voice.message(kind, kind.value, None, device) for device in devices for kind in kinds]


def unknown_interval(voice: Voice, journal: Journal, now: Stamp) -> list[Message]:
    """The gap between an earlier run and this one, since the last event that was stored; none before the first run."""
    if not journal.unclean and journal.recorded is None:
        return []
    reason = GapReason.UNCLEAN_SHUTDOWN if journal.unclean else GapReason.RESTART
    since = None if journal.recorded is None else instant(journal.recorded)
    gap = GapData("hub", reason, since=since, until=instant(now.utc))
    return [voice.message(Kind.GAP, "gap", gap)]


def damaged(voice: Voice, journal: Journal) -> list[Message]:
    """What earlier journals lost: of each a gap for every stream that lost numbers, and an event."""
    if journal.emptied:
        why = "the journal was removed or emptied while no hub ran: what it held is lost"
        _log.error("%s", why)
        gone = voice.message(Kind.GAP, "gap", GapData("hub", GapReason.DAMAGED))
        return [gone, voice.event("journal-damaged", why)]
    gaps = [voice.message(Kind.GAP, "gap", gap) for damage in journal.damages for gap in damage.gaps()]
    return gaps + [voice.event("journal-damaged", str(damage)) for damage in journal.damages]


async def commands(journal: Journal, now: Stamp) -> list[Known]:
    """The commands of earlier runs that can be given again, and those that may have died with the last of them.

    Raises `JournalError`.
    """
    ended = now.utc if journal.recorded is None else min(journal.recorded, now.utc)
    return await journal.file(lambda db: recalled(recall.commands(db, ended - REMEMBERED), now))


def standing_alarms(
    retained: Sequence[Entry], topics: Topics, voice: Voice
) -> tuple[list[StandingAlarm], list[Message], list[Entry]]:
    """The alarms that stood when the last run of this node ended: alarms, ends of those that are illegible, entries.

    `retained`: the last event of each retained topic that was not deleted.
    """
    place = f"{topics.prefix}/{Kind.ALARM}/"
    standing: list[StandingAlarm] = []
    ended: list[Message] = []
    legible: list[Entry] = []
    for entry in retained:
        if not entry.out.topic.startswith(place):
            continue
        device, point = entry.out.subject.split("/")
        try:
            standing.append(StandingAlarm(device, point, stored_alarm(entry.out.payload)))
            legible.append(entry)
        except ValueError as error:
            _log.warning("alarm %s of an earlier run is deleted: %s", entry.out.subject, error)
            ended.append(voice.message(Kind.ALARM, "alarm.cleared", None, device, point))
    return standing, ended, legible


def open_inspections(
    retained: Sequence[Entry], topics: Topics, voice: Voice
) -> tuple[list[InspectionData], list[Message]]:
    """The inspections that were open when the last run of this node ended, and ends of those that are illegible."""
    place = f"{topics.prefix}/{Kind.INSPECTION}/"
    found: list[InspectionData] = []
    ended: list[Message] = []
    for entry in retained:
        if not entry.out.topic.startswith(place):
            continue
        try:
            found.append(stored_inspection(entry.out.payload))
        except ValueError as error:
            _log.warning("the inspection at %s of an earlier run is deleted: %s", entry.out.subject, error)
            ended.append(voice.message(Kind.INSPECTION, "inspection.ended", None, entry.out.subject))
    return found, ended
