"""`devicehub consume-check`: whether a durable consumer keeps to the contract."""

import argparse
import asyncio
import re
import shutil
from collections.abc import Sequence
from functools import partial

from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.output import print_line, say
from devicehub.cli.watch import settings_of
from devicehub.clock import Clock
from devicehub.consume.conformance.check import Outcome, check
from devicehub.consume.conformance.hub import PlayedHub
from devicehub.consume.conformance.process import Process
from devicehub.consume.conformance.rules import rules
from devicehub.consume.conformance.stage import staged
from devicehub.model.segment import SEGMENT
from devicehub.publish.mqtt import connect

_NODE = re.compile(r"(?P<site>[a-z0-9-]{1,64})/(?P<node>[a-z0-9-]{1,64})")


def run(args: argparse.Namespace) -> int:
    """Print each rule with its outcome as it comes. 1 when one does not hold."""
    node = _NODE.fullmatch(args.node)
    if node is None or not SEGMENT.fullmatch(args.name):
        raise CommandError(Exit.USAGE, "--node must be SITE/NODE and --name a word, of a to z, 0 to 9 and -")
    if shutil.which(args.words[0]) is None:
        raise CommandError(Exit.UNAVAILABLE, f"{args.words[0]}: no such program")
    hub = PlayedHub(node["site"], node["node"], Clock(), exercise=args.exercise)
    process = Process(args.words, args.stored or "")
    outcomes = asyncio.run(_checked(args, hub, process))
    broken = sum(not one.holds for one in outcomes)
    if not args.json:
        say(f"{len(outcomes) - broken} of {len(outcomes)} rules hold, seed {args.seed}")
    return Exit.FAILURE if broken else Exit.OK


async def _checked(args: argparse.Namespace, hub: PlayedHub, process: Process) -> Sequence[Outcome]:
    link = partial(connect, settings_of(args))
    outcomes = []
    async with staged(hub, process, link, Clock(seed=args.seed), args.name) as stage:
        async for outcome in check(stage, rules(args.kills)):
            outcomes.append(outcome)
            _show(outcome, as_json=args.json)
    return outcomes


def _show(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print_line({"rule": outcome.rule, "holds": outcome.holds, "played": outcome.played, "why": outcome.why})
        return
    word = "holds" if outcome.holds else "BROKEN" if outcome.played else "not played"
    say(f"{word:10}  {outcome.rule}" + (f": {outcome.why}" if outcome.why else ""))
