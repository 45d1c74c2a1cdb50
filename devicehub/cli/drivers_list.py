"""`devicehub drivers list`."""

import argparse

from devicehub.cli.describe import LINKS
from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json, print_table
from devicehub.cli.site import site_folder
from devicehub.registry import driver_names, load_driver, simulator_names


def run(args: argparse.Namespace) -> int:
    """Print every driver."""
    folder = site_folder(args)
    drivers = [load_driver(name, folder) for name in driver_names(folder)]
    simulated = set(simulator_names(folder))
    if args.json:
        print_json(
            [
                {
                    "name": driver.name,
                    "title": driver.title,
                    "category": str(driver.category),
                    "link": LINKS[type(driver.link)],
                    "simulator": driver.name in simulated,
                    "evidence": str(driver.evidence),
                }
                for driver in drivers
            ]
        )
    else:
        rows = [(driver.name, LINKS[type(driver.link)], str(driver.evidence), driver.title) for driver in drivers]
        print_table(("DRIVER", "LINK", "EVIDENCE", "TITLE"), rows)
    return Exit.OK
