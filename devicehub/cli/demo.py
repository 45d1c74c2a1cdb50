"""`devicehub demo`: simulated devices of every family and a broker, on this computer alone."""

import argparse
import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from devicehub import app, log
from devicehub.cli.exits import Exit
from devicehub.cli.output import note
from devicehub.cli.watch import watch
from devicehub.publish.settings import BrokerSettings

SHOWN = ("alarm", "event", "result", "scan", "device")


def run(args: argparse.Namespace) -> int:
    """Run until the time is over or Ctrl-C, printing what an operator would look at."""
    log.configure("WARNING")
    with TemporaryDirectory(prefix="devicehub-demo-") as folder:
        asyncio.run(_demo(Path(folder), args.seconds, as_json=args.json))
    return Exit.OK


async def _demo(state: Path, seconds: float | None, *, as_json: bool) -> None:
    watching: list[asyncio.Task[None]] = []

    def ready(told: app.Ready) -> None:
        _announce(told)
        filters = [f"{told.prefix}/{kind}/#" for kind in SHOWN]
        settings = BrokerSettings(host=told.settings.host, port=told.settings.port)
        watching.append(asyncio.create_task(watch(settings, filters, as_json=as_json)))

    try:
        await app.demo(state, seconds=seconds, on_ready=ready)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


def _announce(told: app.Ready) -> None:
    host, port = told.settings.host, told.settings.port
    note(told.banner)
    note(f"EXERCISE: everything is simulated and published below {told.prefix}/")
    note(f"all of it: devicehub watch --broker mqtt://{host}:{port}")
    note(f"or:        mosquitto_sub -h {host} -p {port} -t '{told.prefix}/#' -v")
    note("alarms, events, results, scans and states of devices; Ctrl-C ends it:")
