"""`devicehub schema`."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json
from devicehub.model.message import Kind
from devicehub.publish.contract import asyncapi, schema


def run(args: argparse.Namespace) -> int:
    """Print the AsyncAPI document, or the JSON Schema of every kind of message. It is JSON with or without --json."""
    print_json(asyncapi() if args.form == "asyncapi" else {str(kind): schema(kind) for kind in Kind})
    return Exit.OK
