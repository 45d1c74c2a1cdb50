"""An unknown Bluetooth device: its attribute table as comments, then all that it notifies, by characteristic."""

import argparse

from devicehub.cli.unknown_place import named
from devicehub.cli.unknown_sheet import Sheet
from devicehub.discover import Descriptor, Kind
from devicehub.transport.ble_radio import BleRadio
from devicehub.transport.ble_unknown import Characteristic, Offer, UnknownPeripheral


async def listen_ble(args: argparse.Namespace, sheet: Sheet) -> None:
    """Until the time is over. Nothing is written but subscriptions. Raises `LinkError`."""
    radio = BleRadio()
    try:
        peripheral = await UnknownPeripheral.reach(radio, named(args.device))
        try:
            table = peripheral.table()
            sheet.present = [_descriptor(peripheral, table)]
            sheet.begin(f"Bluetooth device '{peripheral.peripheral.name}'")
            await _survey(peripheral, table, sheet)
            await sheet.listen(peripheral.read, args.seconds)
        finally:
            await peripheral.close()
    finally:
        radio.close()


def _descriptor(peripheral: UnknownPeripheral, table: tuple[Offer, ...]) -> Descriptor:
    """What it offers counts as much as what it advertises: one that is connected already advertises nothing."""
    one = peripheral.peripheral
    services = tuple(dict.fromkeys((*one.services, *(service.uuid for service in table))))
    return Descriptor(kind=Kind.BLE, place=one.address, title=one.name, services=services)


async def _survey(peripheral: UnknownPeripheral, table: tuple[Offer, ...], sheet: Sheet) -> None:
    """Values first: see `UnknownPeripheral.value`."""
    advertised = peripheral.peripheral.services
    sheet.remark(f"Advertised services: {', '.join(advertised) or 'none that was heard'}.")
    for service in table:
        sheet.remark(f"Service {service.uuid} ({service.title})")
        for one in service.characteristics:
            sheet.remark(f"  {_line(one)}{await _value(peripheral, one)}")
    for service in table:
        for one in service.characteristics:
            refused = await peripheral.subscribe(one) if one.notifies else ""
            if refused:
                sheet.remark(f"Not subscribed: {refused}")


def _line(one: Characteristic) -> str:
    return f"{one.uuid} ({one.title}), handle {one.handle}: {', '.join(one.properties)}"


async def _value(peripheral: UnknownPeripheral, one: Characteristic) -> str:
    if not one.tells:
        return ""
    value = await peripheral.value(one)
    if isinstance(value, str):
        return f"; not told: {value}"
    text = value.rstrip(b"\x00").decode(errors="replace")
    return f"; '{text}'" if text.isprintable() else f"; {value.hex(' ')}"
