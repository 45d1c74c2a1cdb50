"""`devicehub run`."""

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from devicehub import app, log
from devicehub.cli.ending import run_to_the_end
from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import note
from devicehub.config import Config, load_config

if TYPE_CHECKING:
    from devicehub.commissioning import StationCommissioning


def run(args: argparse.Namespace) -> int:
    """Run the hub until SIGTERM or Ctrl-C."""
    os.umask(0o077)  # journal and evidence are nobody else's business
    file = config_path(args)
    config = load_config(file)
    log.configure(as_json=args.json or not sys.stderr.isatty())
    run_to_the_end(app.serve(config, on_ready=_ready, file=file, commissioning=_commissioning(config, file)))
    return Exit.OK


def _commissioning(config: Config, file: Path) -> "StationCommissioning | None":
    """How the station is set up at its page, if it has one."""
    if not config.page.enabled:
        return None
    module = importlib.import_module("devicehub.commissioning")  # only a page needs it
    return cast("StationCommissioning", module.StationCommissioning(file, changes=config.page.setup))


def _ready(ready: app.Ready) -> None:
    settings = ready.settings
    if ready.banner:
        note(ready.banner)
    if ready.page:
        note(f"page: {ready.page}")
    if ready.metrics:
        note(f"metrics: {ready.metrics}/metrics")
    note(f"will publish below {ready.prefix}/ to {settings.host}:{settings.port}")
