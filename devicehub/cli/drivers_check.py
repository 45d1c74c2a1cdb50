"""`devicehub drivers check`: device files proved by their vectors, damaged, and played against their simulators."""

import argparse
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import heading, print_json, say
from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.load import driver, load
from devicehub.devicefile.rehearsal import Flipped, Played, flip, play
from devicehub.driver import Driver
from devicehub.model.device import Category
from devicehub.tomlfile.problems import suggestion


def run(args: argparse.Namespace) -> int:
    """Print what each file is worth. 78 for a mistake.

    65 unless driver and simulator agree and give every channel values that it can have.
    """
    checked = [_checked(path, args.seconds) for path in args.files]
    if args.json:
        print_json([_json(*one) for one in checked])
    else:
        for one in checked:
            _print(*one)
    good = not any(played.faults or played.silent or played.impossible for _, _, played, _ in checked)
    return Exit.OK if good else Exit.BAD_INPUT


def _checked(path: Path, seconds: float) -> tuple[Driver, Compiled, Played, Flipped]:
    compiled = load(path)
    family = path.absolute().parent.name
    known = [str(category) for category in Category]
    if family not in known:
        hint = suggestion(family, known) or f"; known: {', '.join(known)}"
        raise CommandError(
            Exit.USAGE, f"{path}: must lie in the folder of its family; there is no family '{family}'{hint}"
        )
    made = driver(compiled, f"{family}.{path.stem}")
    return made, compiled, play(compiled, made.open({}), seconds), flip(compiled)


def _evidence(compiled: Compiled) -> dict[str, int]:
    """How many vectors there are of each kind."""
    kinds = [vector.evidence for vector in compiled.file.vector]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _json(made: Driver, compiled: Compiled, played: Played, flipped: Flipped) -> dict[str, object]:
    return {
        "name": made.name,
        "title": made.title,
        "vectors": _evidence(compiled),
        "untested": compiled.file.untested,
        "seconds": played.seconds,
        "samples": {name: played.samples[name] for name in compiled.channels},
        "faults": len(played.faults),
        "impossible": dict(played.impossible),
        "bits_flipped": flipped.bits,
        "taken": flipped.taken,
    }


def _print(made: Driver, compiled: Compiled, played: Played, flipped: Flipped) -> None:
    say(heading(f"{made.name}: {made.title}"))
    kinds = ", ".join(f"{count} {kind}" for kind, count in _evidence(compiled).items())
    say(f"  vectors that hold: {kinds or 'none; all that it yields is marked as untested'}")
    told = ", ".join(f"{name} {played.samples[name]}" for name in compiled.channels)
    say(f"  {played.seconds:g} s with its simulator, samples: {told}")
    for name in played.silent:
        say(f"  channel {name} gave nothing")
    for name, count in played.impossible.items():
        channel = compiled.channels[name]
        say(f"  channel {name}: {count} values are not within {channel.low:g} to {channel.high:g}, hence bad")
    for fault in played.faults[:5]:
        say(f"  fault at {fault}")
    if len(played.faults) > 5:
        say(f"  and {len(played.faults) - 5} faults more")
    if flipped.bits:
        say(f"  one bit flipped: {flipped.taken} of {flipped.bits} went unnoticed (integrity: {made.integrity})")
