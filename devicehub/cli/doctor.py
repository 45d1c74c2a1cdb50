"""`devicehub doctor`: what keeps this station from doing its work, and what to do about it."""

import argparse
from pathlib import Path

import msgspec

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_json, say
from devicehub.clock import Clock, clock_quality
from devicehub.disk import room
from devicehub.doctor.examine import CHECKS, examine, skipped
from devicehub.doctor.facts import Facts
from devicehub.doctor.findings import Finding, Level
from devicehub.doctor.gather import Senses, gather
from devicehub.doctor.mend import UnmendableError, mend

_INDENT = " " * 6


def run(args: argparse.Namespace) -> int:
    """Print what is found, and with `--fix` what was mended. 69 while something does not work."""
    file, root = config_path(args), args.root
    senses = Senses(Clock(), clock_quality, room)
    facts = gather(file, root, senses, user=args.user, network=not args.offline)
    found = examine(facts)
    done: dict[int, str] = {}
    if args.fix and found:
        done = _mended(found, root)
        left = examine(gather(file, root, senses, user=args.user, network=not args.offline))
    else:
        left = found
    if args.json:
        print_json(_document(facts, found, done, left))
    else:
        _print(facts, found, done, left)
    return Exit.UNAVAILABLE if any(one.level is Level.FAIL for one in left) else Exit.OK


def _mended(found: list[Finding], root: Path) -> dict[int, str]:
    """What was done about each finding by its place; the same is not done twice."""
    done: dict[int, str] = {}
    tried: set[str] = set()
    for number, one in enumerate(found):
        if one.mend is None or repr(one.mend) in tried:
            continue
        tried.add(repr(one.mend))
        try:
            done[number] = mend(one.mend, root, Clock().ulid)
        except UnmendableError as error:
            done[number] = f"not mended: {error}"
    return done


def _print(facts: Facts, found: list[Finding], done: dict[int, str], left: list[Finding]) -> None:
    idle = skipped(facts)
    for name in CHECKS:
        if name in idle:
            say(f" --   {name}: not looked at")
        elif not any(one.check == name for one in found):
            say(f" ok   {name}")
    for number, one in enumerate(found):
        say(f" {one.level}  {one.check}: {one.subject}: {one.what}")
        say(f"{_INDENT}-> {done.get(number, one.remedy)}")
    failures = sum(one.level is Level.FAIL for one in left)
    say(f"{_counted(failures, 'failure')}, {_counted(len(left) - failures, 'warning')}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _document(facts: Facts, found: list[Finding], done: dict[int, str], left: list[Finding]) -> dict[str, object]:
    findings = [
        {
            "level": one.level.value.lower(),
            "check": one.check,
            "subject": one.subject,
            "what": one.what,
            "remedy": one.remedy,
            "mendable": one.mend is not None,
            "done": done.get(number),
            "left": one in left,
        }
        for number, one in enumerate(found)
    ]
    failures = sum(one.level is Level.FAIL for one in left)
    return {
        "file": facts.file,
        "checks": list(CHECKS),
        "skipped": sorted(skipped(facts)),
        "findings": findings,
        "failures": failures,
        "warnings": len(left) - failures,
        "broker": None if facts.broker is None else msgspec.to_builtins(facts.broker),
    }
