"""`devicehub devices show`."""

import argparse
import asyncio

from devicehub.cli.describe import channel_json, span
from devicehub.cli.devices_list import where
from devicehub.cli.exits import Exit, exit_code
from devicehub.cli.given import given_config, given_device
from devicehub.cli.opened import opened
from devicehub.cli.output import heading, print_json, print_table, say
from devicehub.clock import Clock
from devicehub.config import DeviceConfig
from devicehub.config.fitted import fitted
from devicehub.driver import Driver
from devicehub.model.errors import LinkError
from devicehub.registry import load_driver
from devicehub.transport.link import LinkIdentity

Json = dict[str, object]


def run(args: argparse.Namespace) -> int:
    """Print a device and whether it can be opened. 69 or 77 when it cannot."""
    config = given_config(args)
    device = given_device(config, args.id)
    driver = fitted(load_driver(device.driver, config.hub.device_files), device)
    code, link = (Exit.OK, "not tried") if args.offline else asyncio.run(_try(device, driver))
    if args.json:
        print_json(_json(device, driver, link))
    else:
        _print(device, driver, link)
    return code


async def _try(device: DeviceConfig, driver: Driver) -> tuple[int, str]:
    try:
        async with opened(device, driver, Clock()) as transport:
            return Exit.OK, _identity(transport.identity)
    except LinkError as error:
        return exit_code(error) or Exit.UNAVAILABLE, str(error)


def _identity(identity: LinkIdentity) -> str:
    parts = [identity.usb, identity.serial, identity.address, identity.path]
    return "opened: " + " ".join(part for part in parts if part)


def _json(device: DeviceConfig, driver: Driver, link: str) -> Json:
    facts: Json = device.model_dump(mode="json", exclude_none=True)
    channels = [channel_json(channel) for channel in driver.channels]
    return facts | {
        "title": driver.title,
        "options": dict(driver.settings(device.options)),
        "channels": channels,
        "link": link,
    }


def _print(device: DeviceConfig, driver: Driver, link: str) -> None:
    say(heading(f"{device.id}: {driver.title}"))
    say(f"driver {driver.name}, {where(device)}{'' if device.enabled else ', disabled'}")
    say(f"link   {link}")
    for name, value in driver.settings(device.options).items():
        say(f"option {name} = {value}")
    say("")
    rows = [(one.name, str(one.kind), str(one.unit), span(one.low, one.high), one.title) for one in driver.channels]
    print_table(("CHANNEL", "KIND", "UNIT", "RANGE", "TITLE"), rows)
