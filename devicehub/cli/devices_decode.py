"""`devicehub devices decode`: what a configured watch-folder device makes of a file, without the hub."""

import argparse
from pathlib import Path

from devicehub.cli.capture import Timed, play
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_config, given_device
from devicehub.cli.output import print_line
from devicehub.cli.samples import fault_json, sample_json
from devicehub.config.fitted import fitted
from devicehub.driver import FileLink
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet


def run(args: argparse.Namespace) -> int:
    """Print each sample and each fault as a JSON line. 0 if there was a sample, else 65. The file stays where it is."""
    config = given_config(args)
    device = given_device(config, args.id)
    driver = fitted(load_driver(device.driver, config.hub.device_files), device)
    if not isinstance(driver.link, FileLink):
        raise CommandError(Exit.USAGE, f"{device.id} leaves no files: see 'devicehub drivers decode'")
    packets = [Timed(0.0, Packet(_read(path, driver.link.limit), path.name)) for path in args.files]
    found = False
    for _, step in play(driver.open(device.options), packets):
        for sample in step.samples:
            print_line(sample_json(sample, driver))
        for fault in step.faults:
            print_line(fault_json(fault))
        found = found or bool(step.samples)
    return Exit.OK if found else Exit.BAD_INPUT


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise CommandError(Exit.BAD_INPUT, f"{path}: larger than {limit} bytes")
    return content
