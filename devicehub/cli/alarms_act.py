"""`devicehub alarms ack`, `confirm`, `shelve` and `unshelve`: what a person does to one alarm point."""

import argparse
import json

from devicehub.cli import send

DEADLINE = 10.0


def run(args: argparse.Namespace) -> int:
    """Have the hub do it; one line says how it ended. Exit codes as those of `devicehub send`."""
    given = {**args.alarm, "revision": args.revision, "why": args.why, **_more(args)}
    told = [(name, json.dumps(value)) for name, value in given.items() if value]
    what = {"target": "hub", "verb": args.verb, "args": told, "issuer": args.issuer, "reason": args.why}
    how = {"deadline": DEADLINE, "json": args.json, "brief": True}
    there = {"node": args.node, "exercise": args.exercise, "broker": args.broker, "config": args.config}
    return send.run(argparse.Namespace(**what, **how, **there))


def _more(args: argparse.Namespace) -> dict[str, object]:
    if args.verb == "confirm":
        return {"disposition": args.disposition}
    if args.verb == "shelve":
        return {"seconds": args.seconds, "until": args.until, "one_shot": args.once}
    return {}
