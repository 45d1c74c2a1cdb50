"""`devicehub config schema`."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json
from devicehub.config import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run(args: argparse.Namespace) -> int:
    """Print the JSON Schema of the configuration file, as editors use it. It is JSON with or without --json."""
    del args
    print_json({"$schema": DIALECT, **Config.model_json_schema()})
    return Exit.OK
