"""A BLE peripheral that no driver is known for: what its attribute table holds, and all that it notifies.

It is asked for its table, for what it says about itself (the service Device Information, 0x180A of Bluetooth's
Assigned Numbers), and to notify. All that is written is subscriptions: Client Characteristic Configuration descriptors.
"""

from functools import partial
from typing import TYPE_CHECKING, Final, Self

from msgspec import Struct

from devicehub.driver import BleLink
from devicehub.model.errors import LinkLostError
from devicehub.transport.ble import BleTransport
from devicehub.transport.ble_errors import bluetooth_errors, bounded
from devicehub.transport.ble_radio import BleRadio, Peripheral, Wanted

if TYPE_CHECKING:
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice

DEVICE_INFORMATION: Final = "0000180a-0000-1000-8000-00805f9b34fb"
NOTIFYING: Final = frozenset({"notify", "indicate"})
_SILENT: Final = BleLink(notify=())


class Characteristic(Struct, frozen=True):
    """One line of the table. `handle`: of its declaration, which tells those of one UUID apart."""

    service: str
    uuid: str
    handle: int
    title: str
    properties: tuple[str, ...]

    @property
    def notifies(self) -> bool:
        """Whether it can be subscribed to."""
        return not NOTIFYING.isdisjoint(self.properties)

    @property
    def tells(self) -> bool:
        """Whether it says something about the device, and can be read."""
        return self.service == DEVICE_INFORMATION and "read" in self.properties


class Offer(Struct, frozen=True):
    """A service with its characteristics, in the order of their handles."""

    uuid: str
    title: str
    characteristics: tuple[Characteristic, ...]


class UnknownPeripheral(BleTransport):
    """An open link without a subscription. Made by `reach`."""

    def __init__(self, radio: BleRadio, link: BleLink, peripheral: Peripheral, device: "BLEDevice") -> None:
        """As of `BleTransport`. `peripheral`: as it was heard."""
        super().__init__(radio, link, peripheral, device)
        self.peripheral = peripheral

    @classmethod
    async def reach(cls, radio: BleRadio, wanted: Wanted) -> Self:
        """Find it and connect. Raises as `BleTransport.open` does."""
        return await cls.meet(_SILENT, radio, wanted)

    def table(self) -> tuple[Offer, ...]:
        """What was found when the link was opened."""
        return tuple(
            Offer(
                service.uuid.lower(),
                service.description,
                tuple(
                    _characteristic(service.uuid.lower(), one)
                    for one in sorted(service.characteristics, key=lambda one: one.handle)
                ),
            )
            for service in sorted(self._client.services, key=lambda one: one.handle)
        )

    async def value(self, one: Characteristic) -> bytes | str:
        """What it holds, or in words why it is not told. Raises `LinkLostError`.

        To be asked before `subscribe`: BlueZ tells what is read of a subscribed characteristic as a notification too.
        """
        try:
            with bluetooth_errors(f"read {one.uuid}", opened=True):
                return bytes(await bounded(self._client.read_gatt_char(one.handle), self._radio.limits.reply))
        except LinkLostError as error:
            return self._refused(error)

    async def subscribe(self, one: Characteristic) -> str:
        """From now on `read` gives what it notifies. Nothing, or in words why not. Raises `LinkLostError`."""
        asking = self._client.start_notify(
            one.handle, partial(self._on_notification, one.uuid), bluez={"use_start_notify": True}
        )
        try:
            with bluetooth_errors(f"subscribe to {one.uuid}", opened=True):
                await bounded(asking, self._radio.limits.reply)
        except LinkLostError as error:
            return self._refused(error)
        return ""

    def _refused(self, error: LinkLostError) -> str:
        """One thing that a peripheral refuses is no end of the link; the end of the link is."""
        if self._lost is not None:
            raise self._lost from error
        return str(error)


def _characteristic(service: str, one: "BleakGATTCharacteristic") -> Characteristic:
    return Characteristic(service, one.uuid.lower(), one.handle, one.description, tuple(sorted(one.properties)))
