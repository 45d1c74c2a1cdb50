"""`devicehub inspections open` and `close`: where an inspection begins and ends."""

import argparse
import json

from devicehub.cli import send

DEADLINE = 10.0


def run(args: argparse.Namespace) -> int:
    """Have the hub do it; one line says how it ended. Exit codes as those of `devicehub send`."""
    told = [(name, json.dumps(value)) for name, value in _given(args).items() if value]
    reason = args.note if args.verb == "close-inspection" else ""
    what = {"target": "hub", "verb": args.verb, "args": told, "issuer": args.issuer, "reason": reason}
    how = {"deadline": DEADLINE, "json": args.json, "brief": True}
    there = {"node": args.node, "exercise": args.exercise, "broker": args.broker, "config": args.config}
    return send.run(argparse.Namespace(**what, **how, **there))


def _given(args: argparse.Namespace) -> dict[str, str]:
    if args.verb == "open-inspection":
        return {"desk": args.desk, "reference": args.reference}
    return {"desk": args.desk, "inspection": args.inspection}
