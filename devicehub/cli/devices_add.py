"""`devicehub devices add`: a device that was found to a table of the configuration file."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path, given_driver, given_folder
from devicehub.cli.output import note, print_json, say
from devicehub.config.adding import add_device, place_key


def run(args: argparse.Namespace) -> int:
    """Append the table, unless the configuration would not be valid with it. 78 then, and nothing has changed."""
    file = config_path(args)
    driver = given_driver(args.driver, given_folder(file))
    name = add_device(file, driver, args.place, args.id or "")
    if args.json:
        print_json(
            {"file": str(file), "id": name, "driver": args.driver, place_key(driver.link, args.place): args.place}
        )
    else:
        say(f"{file}: device {name} added")
        note(f"'devicehub devices show {name}' opens it; kill -HUP or a restart has the hub read the file again")
    return Exit.OK
