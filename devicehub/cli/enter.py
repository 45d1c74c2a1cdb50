"""`devicehub enter`: what somebody found with a device that has no wire, as a command of that device."""

import argparse
import json

from devicehub.cli import send

DEADLINE = 10.0
_TOLD = ("outcome", "item", "finding", "reading", "note", "at")


def run(args: argparse.Namespace) -> int:
    """Have the hub take it; one line says how it ended. Exit codes as those of `devicehub send`."""
    told = [(name, json.dumps(getattr(args, name))) for name in _TOLD if getattr(args, name)]
    what = {"target": args.device, "verb": "enter", "args": told, "issuer": args.issuer, "reason": ""}
    how = {"deadline": DEADLINE, "json": args.json, "brief": True}
    there = {"node": args.node, "exercise": args.exercise, "broker": args.broker, "config": args.config}
    return send.run(argparse.Namespace(**what, **how, **there))
