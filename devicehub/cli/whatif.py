"""`devicehub whatif`: which alarms other rules would have raised, and which not, from what the journal holds."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import msgspec

from devicehub.cli.alarms_told import JOURNAL, since_utc
from devicehub.cli.bar import Bar
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, print_table, say
from devicehub.cli.whatif_limits import limitations
from devicehub.cli.whatif_replay import Passed, Replay
from devicehub.clock import Clock
from devicehub.config import Config
from devicehub.config.fitted import fitted_drivers
from devicehub.config.load import with_rules
from devicehub.config.rules import rule_set, rules_data
from devicehub.core.trial import Trial
from devicehub.core.whatif import Difference, Effect, Episode, compared, episodes
from devicehub.journal.replayed import bounds, kept
from devicehub.journal.report import reading
from devicehub.log import escaped
from devicehub.model.instant import instant
from devicehub.publish.topics import Topics

TITLES = ("DEVICE", *(str(effect).upper() for effect in Effect))
CHANGES = ("ALARM", "WHAT", "BY THE OLD RULES", "BY THE NEW", "VALUE", "LIMIT")


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that is told. `not_replayed`: sentences about what the answer does not cover."""

    old: Config
    new: Config
    differences: list[Difference]
    passed: Passed
    not_replayed: list[str]


def run(args: argparse.Namespace) -> int:
    """Print what is different, device by device and alarm by alarm, and what could not be replayed."""
    config = given_config(args)
    new: Path = args.rules
    if not new.is_file():
        raise CommandError(Exit.NO_INPUT, f"{new}: no such rule file")
    answer = answered(config, with_rules(config, new), since_utc(args, Clock()), as_json=args.json)
    if args.json:
        print_json(_json(answer))
    else:
        _print(answer)
    return Exit.OK


def answered(old: Config, new: Config, since: float | None, *, as_json: bool = False) -> Answer:
    """The journal of the old configuration, held against the rules of both. `as_json`: how progress is told.

    Raises `JournalError`.
    """
    drivers = fitted_drivers(old)
    sets = [rule_set(one, drivers) for one in (old, new)]
    replay = Replay([Trial(drivers, one) for one in sets], drivers)
    _pass(old, replay, since, Bar("replaying", 0, as_json=as_json))
    before, after = map(episodes, replay.verdicts)
    notes = list(limitations(replay.passed, sets, since))
    return Answer(old, new, compared(before, after), replay.passed, notes)


def _pass(config: Config, replay: Replay, since: float | None, bar: Bar) -> None:
    """Everything that the journal holds of the node since then."""
    prefix = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise).prefix
    with reading(config.hub.state / JOURNAL) as db:
        first, last = bounds(db)
        try:
            for part in kept(db, prefix, since or 0.0, (first, last)):
                replay.take(part)
                bar.reach_of(part[-1].position - first + 1 if part else 0, last - first + 1)
        finally:
            bar.end()
    replay.end()


def _print(answer: Answer) -> None:
    passed, counts = answer.passed, _counts(answer.differences)
    for word, config in (("old", answer.old), ("new", answer.new)):
        data = rules_data(config)
        head = f"version {data.version} by {data.author}: {data.reason}"
        version = "without a version" if data.version is None else escaped(head)
        say(f"{word} rules: {version}; {data.points} alarm points")
    if passed.first is not None:
        say(f"replayed: {passed.readings} readings from {instant(passed.first)} to {instant(passed.last)}")
    if counts:
        print_table(TITLES, [(name, *(str(one[effect]) for effect in Effect)) for name, one in counts.items()])
    changes = [one for one in answer.differences if one.effect is not Effect.SAME]
    if changes:
        print_table(CHANGES, [_row(one) for one in changes])
    else:
        say("no difference")
    for text in answer.not_replayed:
        say(f"not replayed: {text}")


def _row(one: Difference) -> tuple[str, ...]:
    data = one.episode.data
    cells = [f"{one.episode.device}/{one.episode.point}", _effect(one)]
    cells += ["-" if side is None else instant(side.came) for side in (one.old, one.new)]
    return (*cells, *("-" if number is None else f"{number:g}" for number in (data.value, data.limit)))


def _effect(one: Difference) -> str:
    if one.old is None or one.new is None or one.effect is Effect.REGRADED:
        return str(one.effect)
    return f"{one.effect} by {abs(one.new.came - one.old.came):.1f} s"


def _counts(differences: Sequence[Difference]) -> dict[str, Counter[Effect]]:
    found: dict[str, Counter[Effect]] = {}
    for one in differences:
        found.setdefault(one.episode.device, Counter())[one.effect] += 1
    return dict(sorted(found.items()))


def _json(answer: Answer) -> dict[str, object]:
    passed = answer.passed
    return {
        "rules": {
            "old": msgspec.to_builtins(rules_data(answer.old)),
            "new": msgspec.to_builtins(rules_data(answer.new)),
        },
        "from": None if passed.first is None else instant(passed.first),
        "until": None if passed.first is None else instant(passed.last),
        "readings": passed.readings,
        "devices": {
            name: {str(effect): one[effect] for effect in Effect} for name, one in _counts(answer.differences).items()
        },
        "differences": [_one(one) for one in answer.differences if one.effect is not Effect.SAME],
        "not_replayed": answer.not_replayed,
    }


def _one(one: Difference) -> dict[str, object]:
    shared = {"device": one.episode.device, "point": one.episode.point, "effect": str(one.effect)}
    return {**shared, "old": _episode(one.old), "new": _episode(one.new)}


def _episode(one: Episode | None) -> dict[str, object] | None:
    if one is None:
        return None
    return {
        "came": instant(one.came),
        "went": instant(one.went) if isfinite(one.went) else None,
        "value": one.data.value,
        "limit": one.data.limit,
        "priority": one.data.priority.value,
    }
