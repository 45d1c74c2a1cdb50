"""A BLE peripheral as a link: bleak at the edge, packets inside.

A notification is a packet whose port is the characteristic's UUID, lower case; a packet written
goes to the characteristic named by its port. Values are never read: with BlueZ's StartNotify a
read of a subscribed characteristic also comes back as a notification.
"""

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Self

from devicehub.driver import BleLink
from devicehub.model.errors import LinkError, LinkLostError
from devicehub.transport.ble_errors import bluetooth_errors, bounded
from devicehub.transport.ble_radio import BleRadio, Peripheral, Wanted
from devicehub.transport.link import LinkIdentity
from devicehub.wire.packet import Packet

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.device import BLEDevice

_log = logging.getLogger(__name__)


class BleTransport:
    """An open link to one peripheral. Made by `open`."""

    def __init__(self, radio: BleRadio, link: BleLink, peripheral: Peripheral, device: "BLEDevice") -> None:
        """`peripheral` and `device` come from `radio.find`, which holds them until this is closed."""
        from bleak import BleakClient  # noqa: PLC0415 - takes longer to import than all of the hub; only BLE pays

        self.identity = LinkIdentity(address=peripheral.address, path=peripheral.name)
        self._radio = radio
        self._link = link
        self._arrived: asyncio.Queue[Packet | None] = asyncio.Queue()
        self._lost: LinkError | None = None
        # Our own, shorter deadline ends a connect: bleak retries some failures until its own is over.
        self._client = BleakClient(device, self._on_disconnect, timeout=2 * radio.limits.connect)

    @classmethod
    async def open(cls, link: BleLink, *, radio: BleRadio, address: str | None = None, name: str | None = None) -> Self:
        """Find the peripheral, connect and subscribe to `link.notify` in order.

        It is looked for by `address`; else by the prefix `name`; else as the driver's link says.
        Raises `LinkMissingError`, `LinkBusyError` or `LinkPermissionError`, with what to do about it,
        and `ConfigError` when nothing says which peripheral.
        """
        if address or name:
            wanted = Wanted(address=address or "", name="" if address else name or "")
        else:
            wanted = Wanted(name=link.name, service=link.service)
        return await cls.meet(link, radio, wanted)

    @classmethod
    async def meet(cls, link: BleLink, radio: BleRadio, wanted: Wanted) -> Self:
        """As `open`, for a peripheral that is wanted so."""
        peripheral, device = await radio.find(wanted)
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(radio.release, peripheral.address, failed=True)
            transport = cls(radio, link, peripheral, device)
            undo.push_async_callback(transport.close)
            with bluetooth_errors(f"connect to {peripheral.name or peripheral.address}"):
                await bounded(transport._establish(), radio.limits.connect)
            undo.pop_all()
        return transport

    async def read(self) -> Packet:
        """The next notification. Raises `LinkLostError` after the last one that came."""
        packet = await self._arrived.get()
        if packet is None:
            self._arrived.put_nowait(None)
            raise self._lost or LinkLostError("closed")
        return packet

    async def write(self, packet: Packet) -> None:
        """Write to the characteristic `packet.port`, with response when the link is `acknowledged`.

        Raises `LinkLostError`, also when the peripheral refuses.
        """
        if self._lost is not None:
            raise self._lost
        sending = self._client.write_gatt_char(packet.port, packet.data, response=self._link.acknowledged)
        try:
            with bluetooth_errors(f"write to {packet.port}", opened=True):
                await bounded(sending, self._radio.limits.reply)
        except LinkLostError as error:
            self._lose(str(error))
            raise

    async def close(self) -> None:
        """Disconnect. Never raises; takes no longer than the daemon's time to reply."""
        self._lose("closed")
        try:
            with bluetooth_errors(f"disconnect {self.identity.address}", opened=True):
                await bounded(self._client.disconnect(), self._radio.limits.reply)
        except LinkLostError as error:
            _log.warning("%s", error)
        finally:
            self._radio.release(self.identity.address)

    async def _establish(self) -> None:
        await self._radio.watch(self.identity.address, self._lose)
        await self._client.connect()
        for uuid in self._link.notify:
            await self._client.start_notify(
                uuid,
                partial(self._on_notification, uuid.lower()),
                bluez={"use_start_notify": self._link.start_notify},
            )

    def _on_notification(self, port: str, characteristic: "BleakGATTCharacteristic", data: bytearray) -> None:
        del characteristic
        if self._lost is not None:
            return
        if self._arrived.qsize() >= self._radio.limits.notifications:
            # Dropping the oldest would leave a gap that no protocol can see; a lost link is seen by all.
            self._lose("reader too slow")
            return
        self._arrived.put_nowait(Packet(bytes(data), port))

    def _on_disconnect(self, client: "BleakClient") -> None:
        del client
        self._lose(f"{self.identity.path or self.identity.address} disconnected")

    def _lose(self, why: str) -> None:
        """What had arrived can still be read, then `read` raises."""
        if self._lost is None:
            self._lost = LinkLostError(why)
            self._arrived.put_nowait(None)
