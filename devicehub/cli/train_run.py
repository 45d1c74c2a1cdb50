"""`devicehub train run`: an exercise, and its score once it has ended."""

import argparse
from pathlib import Path

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.simulate import perform, played
from devicehub.cli.train_score import score_of, tell
from devicehub.exercise.load import load_scenario, scenario_file


def run(args: argparse.Namespace) -> int:
    """0 from the pass mark on, 11 below it. The journal stays in the folder, which has to be a new one."""
    scenario = load_scenario(scenario_file(args.scenario))
    state: Path = args.state
    if state.exists():
        raise CommandError(Exit.CANNOT_CREATE, f"{state} exists already: each exercise has a folder of its own")
    codes: list[int] = []

    async def work() -> None:
        await played(scenario, state, args)
        codes.append(tell(score_of(scenario, state), as_json=args.json))

    perform(work(), scenario, args)
    return codes[0]
