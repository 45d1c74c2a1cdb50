"""`devicehub drivers show`."""

import argparse

from devicehub.cli.describe import LINKS, driver_json, link_lines, span
from devicehub.cli.exits import Exit
from devicehub.cli.given import given_driver
from devicehub.cli.output import heading, print_json, print_table, say
from devicehub.cli.site import site_folder
from devicehub.driver import Driver


def run(args: argparse.Namespace) -> int:
    """Print one driver's declaration."""
    driver = given_driver(args.name, site_folder(args))
    if args.json:
        print_json(driver_json(driver))
    else:
        _print(driver)
    return Exit.OK


def _print(driver: Driver) -> None:
    say(heading(driver.title))
    say(f"driver {driver.name}, link {LINKS[type(driver.link)]}, integrity {driver.integrity}, {driver.evidence}")
    if driver.plausibility:
        say(f"  {driver.plausibility}")
    for name, value in link_lines(driver.link):
        say(f"  {name} {value}")
    if driver.capabilities:
        say(f"detects {', '.join(driver.capabilities)}")
    say("")
    channels = [
        (channel.name, str(channel.kind), str(channel.unit), span(channel.low, channel.high), channel.title)
        for channel in driver.channels
    ]
    print_table(("CHANNEL", "KIND", "UNIT", "RANGE", "TITLE"), channels)
    if driver.options:
        say("")
        options = [
            (option.name, str(option.default), ", ".join(option.choices) or span(option.low, option.high), option.title)
            for option in driver.options
        ]
        print_table(("OPTION", "DEFAULT", "RANGE", "TITLE"), options)
