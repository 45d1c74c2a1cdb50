"""Checks of the workstation itself: configuration, clock, disk, journal. Pure."""

from collections.abc import Iterator
from pathlib import Path

from devicehub.doctor.facts import Facts
from devicehub.doctor.findings import CommentOut, Finding, Level, Rebuild

UNKNOWN = ": unknown key"
FULL = 64 * 1024 * 1024
SCARCE = 1024 * 1024 * 1024


def configuration(facts: Facts) -> Iterator[Finding]:
    """Whether the configuration can be used."""
    for one in facts.problems:
        place = f"{one.file}:{one.line}:{one.column}"
        stale = UNKNOWN in one.text
        remedy = "devicehub doctor --fix comments that line out" if stale else "correct it, and look again"
        yield Finding(Level.FAIL, "config", place, one.text, remedy, CommentOut(one) if stale else None)


def clock(facts: Facts) -> Iterator[Finding]:
    """Whether the time in what is published can be relied on."""
    if facts.clock.synchronised is False:
        what = f"not synchronised: it may be wrong by {facts.clock.max_error:.3g} s and more"
        remedy = "sudo timedatectl set-ntp true, with a time server that this network reaches; or chrony"
        yield Finding(Level.WARN, "clock", "system", what, remedy)


def disk(facts: Facts) -> Iterator[Finding]:
    """Whether there is room for events."""
    one = facts.disk
    if one.free >= SCARCE:
        return
    what = f"{one.free / 1024**2:.0f} MiB of {one.total / 1024**2:.0f} MiB are free"
    remedy = "make room: evidence that may go by your rules, old logs; or another disk for hub.state"
    yield Finding(Level.FAIL if one.free < FULL else Level.WARN, "disk", one.folder, what, remedy)


def journal(facts: Facts) -> Iterator[Finding]:
    """Whether what is stored is what was stored."""
    if not facts.journal:
        return
    path = Path(facts.disk.folder) / "journal.sqlite"
    more = f", and {len(facts.journal) - 1} more" if len(facts.journal) > 1 else ""
    what = f"it is damaged: {facts.journal[0]}{more}"
    if facts.running:
        remedy = "stop the hub, then devicehub doctor --fix: what is whole is taken over, the rest told"
        yield Finding(Level.FAIL, "journal", str(path), what, remedy)
        return
    remedy = "devicehub doctor --fix, or the next start: what is whole is taken over, the rest told, the file is kept"
    yield Finding(Level.FAIL, "journal", str(path), what, remedy, Rebuild(path))
