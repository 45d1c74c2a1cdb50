"""`devicehub demo`: simulated devices of every family and a broker, on this computer alone."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from devicehub import app, log
from devicehub.cli.ending import run_to_the_end
from devicehub.cli.exits import Exit
from devicehub.cli.output import note
from devicehub.cli.watch import Shown, watch
from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError

BROKER_PAUSE = 0.5
SHOWN = ("alarm", "event", "result", "scan", "device")


def run(args: argparse.Namespace) -> int:
    """Run until the time is over or Ctrl-C, printing what an operator would look at."""
    os.umask(0o077)  # journal and evidence are nobody else's business
    log.configure("WARNING")
    with TemporaryDirectory(prefix="devicehub-demo-") as folder:
        serving = partial(app.demo, Path(folder), seconds=args.seconds, port=args.port)
        run_to_the_end(show(serving, as_json=args.json))
    return Exit.OK


class Serving(Protocol):
    """Runs a hub with an embedded broker."""

    def __call__(self, *, on_ready: Callable[[app.Ready], None]) -> Awaitable[None]:
        """Until its end."""
        ...


async def show(serving: Serving, *, as_json: bool) -> None:
    """A hub and its display: an output that nobody reads any more ends both."""
    watching: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as group:

        def ready(told: app.Ready) -> None:
            _announce(told)
            watching.append(group.create_task(_show(told, as_json=as_json)))

        await serving(on_ready=ready)
        for task in watching:
            task.cancel()


async def _show(told: app.Ready, *, as_json: bool) -> None:
    filters, clock = [f"{told.prefix}/{kind}/#" for kind in SHOWN], Clock()
    while True:
        with suppress(DeliveryError):  # the broker ended, which the hub itself reports, and is started again
            await watch(replace(told.settings, identifier=""), filters, Shown(as_json=as_json))
        await clock.sleep(BROKER_PAUSE)


def _typed() -> str:
    """How this program is called from another terminal, where its environment may not be the current one."""
    return "devicehub" if shutil.which("devicehub") else f"{sys.executable} -m devicehub"


def _announce(told: app.Ready) -> None:
    host, port = told.settings.host, told.settings.port
    note(told.banner)
    if told.page:
        note(f"page: {told.page}")
    if told.instructor:
        note(f"instructor: {told.instructor}#/training")
    note(f"EXERCISE: everything is simulated and published below {told.prefix}/")
    note(f"all of it: {_typed()} watch --broker mqtt://{host}:{port}")
    note(f"or:        mosquitto_sub -h {host} -p {port} -t '{told.prefix}/#' -v")
    note("alarms, events, results, scans and states of devices; Ctrl-C ends it:")
