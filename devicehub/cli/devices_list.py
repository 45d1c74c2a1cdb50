"""`devicehub devices list`."""

import argparse

from devicehub.cli.exits import Exit
from devicehub.cli.given import given_config
from devicehub.cli.output import print_json, print_table
from devicehub.config import DeviceConfig


def run(args: argparse.Namespace) -> int:
    """Print the configured devices."""
    devices = given_config(args).device
    if args.json:
        print_json([_json(device) for device in devices])
    else:
        rows = [(device.id, device.driver, where(device), "" if device.enabled else "disabled") for device in devices]
        print_table(("DEVICE", "DRIVER", "WHERE", ""), rows)
    return Exit.OK


def _json(device: DeviceConfig) -> dict[str, object]:
    return {"id": device.id, "driver": device.driver, "where": where(device), "enabled": device.enabled}


def where(device: DeviceConfig) -> str:
    """How the device is found, in words."""
    if device.port:
        return device.port
    if device.folder is not None:
        return str(device.folder)
    parts = [device.usb, device.serial, device.address]
    return " ".join(part for part in parts if part) or "by its driver's own ids"
