"""`devicehub run`."""

import argparse
import os
import sys

from devicehub import app, log
from devicehub.cli.ending import run_to_the_end
from devicehub.cli.exits import Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import note


def run(args: argparse.Namespace) -> int:
    """Run the hub until SIGTERM or Ctrl-C."""
    os.umask(0o077)  # journal and evidence are nobody else's business
    config = given_config(args)
    log.configure(as_json=args.json or not sys.stderr.isatty())
    run_to_the_end(app.serve(config, on_ready=_ready))
    return Exit.OK


def _ready(ready: app.Ready) -> None:
    settings = ready.settings
    if ready.banner:
        note(ready.banner)
    note(f"will publish below {ready.prefix}/ to {settings.host}:{settings.port}")
