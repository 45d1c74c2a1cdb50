"""`devicehub train report`: how an exercise came out, as one page that prints."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.output import new_file, say
from devicehub.cli.train_score import score_of
from devicehub.exercise.load import load_scenario, scenario_file
from devicehub.exercise.report import html
from devicehub.exercise.tongue import tongue


def run(args: argparse.Namespace) -> int:
    """0 from the pass mark on, 11 below it. Never overwrites."""
    scenario = load_scenario(scenario_file(args.scenario))
    score = score_of(scenario, args.state)
    with new_file(args.out) as stream:
        stream.write(html(scenario, score, tongue(args.language)))
    say(f"{args.out}: {score.percent:g} %")
    return Exit.OK if score.passed else Exit.BELOW_MARK
