"""`devicehub simulate`: a scenario, played on this computer with a broker and the page."""

import argparse
import asyncio
import os
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from devicehub import app, log
from devicehub.cli.demo import show
from devicehub.cli.ending import run_to_the_end
from devicehub.cli.exits import Exit
from devicehub.cli.output import note
from devicehub.clock import Clock
from devicehub.exercise.load import config_of, load_scenario, scenario_file
from devicehub.exercise.pace import PacedLoop
from devicehub.exercise.performance import Manner
from devicehub.exercise.schema import Scenario, Words
from devicehub.exercise.stage import Stage
from devicehub.exercise.trainee import Trainee


def run(args: argparse.Namespace) -> int:
    """Play it to its end, or until the time is over or Ctrl-C."""
    scenario = load_scenario(scenario_file(args.scenario))
    with TemporaryDirectory(prefix="devicehub-exercise-") as folder:
        perform(played(scenario, Path(folder), args), scenario, args)
    return Exit.OK


def perform(work: Coroutine[None, None, None], scenario: Scenario, args: argparse.Namespace) -> None:
    """Do what plays a scenario at its pace, or at the one that is asked for."""
    os.umask(0o077)  # journal and evidence are nobody else's business
    log.configure("ERROR")
    note(f"{scenario.scenario.id}: {scenario.scenario.title[args.language]}")
    run_to_the_end(work, loop_factory=partial(PacedLoop, _speed(scenario, args)))


def _speed(scenario: Scenario, args: argparse.Namespace) -> float:
    return float(args.speed or scenario.scenario.speed)


async def played(scenario: Scenario, state: Path, args: argparse.Namespace) -> None:
    """Play it with a journal in `state`, showing what an operator would look at."""
    wall = Clock()
    began, origin = wall.utc(), wall.monotonic()

    def told(text: Words) -> None:
        note(text.get(args.language) or text.get("en", ""))

    loop = asyncio.get_running_loop()
    manner = Manner(
        held=args.held,
        stay=args.stay,
        speed=_speed(scenario, args),
        pace=loop.pace if isinstance(loop, PacedLoop) else None,
        told=told,
        trainee=Trainee if args.auto else None,
    )
    stage = Stage(scenario, utc=lambda: began + wall.monotonic() - origin, seed=args.seed, manner=manner)
    stop = asyncio.Event()
    if args.seconds is not None:
        loop.call_later(args.seconds, stop.set)
    note(f"folder: {state}")
    await show(partial(app.serve, config_of(scenario, state), stop=stop, stage=stage), as_json=args.json)
