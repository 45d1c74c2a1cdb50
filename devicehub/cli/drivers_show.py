"""`devicehub drivers show`."""

import argparse

from devicehub.cli.describe import LINKS, driver_json, span
from devicehub.cli.exits import Exit
from devicehub.cli.output import heading, print_json, print_table
from devicehub.driver import Driver
from devicehub.registry import load_driver


def run(args: argparse.Namespace) -> int:
    """Print one driver's declaration."""
    driver = load_driver(args.name)
    if args.json:
        print_json(driver_json(driver))
    else:
        _print(driver)
    return Exit.OK


def _print(driver: Driver) -> None:
    print(heading(driver.title))
    print(f"driver {driver.name}, link {LINKS[type(driver.link)]}, integrity {driver.integrity}")
    if driver.capabilities:
        print(f"detects {', '.join(driver.capabilities)}")
    print()
    channels = [
        (channel.name, str(channel.kind), str(channel.unit), span(channel.low, channel.high), channel.title)
        for channel in driver.channels
    ]
    print_table(("CHANNEL", "KIND", "UNIT", "RANGE", "TITLE"), channels)
    if driver.options:
        print()
        options = [
            (option.name, str(option.default), ", ".join(option.choices) or span(option.low, option.high), option.title)
            for option in driver.options
        ]
        print_table(("OPTION", "DEFAULT", "RANGE", "TITLE"), options)
