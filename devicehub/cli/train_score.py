"""`devicehub train score`: how an exercise came out, by its journal."""

import argparse
from pathlib import Path

import msgspec

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_json, say
from devicehub.exercise.facts import journal_facts
from devicehub.exercise.judge import Score, judge, played
from devicehub.exercise.load import load_scenario, place_of, scenario_file
from devicehub.exercise.report import intervened
from devicehub.exercise.schema import Scenario
from devicehub.log import escaped


def run(args: argparse.Namespace) -> int:
    """0 from the pass mark on, 11 below it."""
    scenario = load_scenario(scenario_file(args.scenario))
    return tell(score_of(scenario, args.state), as_json=args.json)


def score_of(scenario: Scenario, state: Path) -> Score:
    """The score of an exercise whose journal is in that folder, by its own events alone.

    Raises `JournalError`, `CommandError`.
    """
    facts = journal_facts(state, place_of(scenario))
    if scenario.scenario.id not in played(facts):
        names = ", ".join(played(journal_facts(state))) or "nothing"
        raise CommandError(Exit.BAD_INPUT, f"{state}: '{scenario.scenario.id}' was not played there, but {names}")
    return judge(scenario, facts)


def tell(score: Score, *, as_json: bool) -> int:
    """A line per expectation and one for all of them; the exit code."""
    if as_json:
        print_json(msgspec.to_builtins(score))
    else:
        for one in score.findings:
            say(f"{one.t}  {one.points:>3}/{one.most:<3}  {one.expected}: {one.why or 'met'}")
        for intervention in score.interventions:
            say(escaped(f"instructor  {intervened(intervention)}"))
        word = "passed" if score.passed else "not passed"
        say(f"{score.scenario}: {score.points} of {score.most} points, {score.percent:g} %: {word}")
    return Exit.OK if score.passed else Exit.BELOW_MARK
