"""Notices what bleak does not: that the Bluetooth daemon died, or dropped a peripheral without a word.

A bluetoothd that crashes or is killed says no farewell: bleak keeps its picture of connected
peripherals and their notifications just stop. D-Bus itself reports it, as NameOwnerChanged of
`org.bluez` (D-Bus specification, "Message Bus Messages"). BlueZ may also remove a connected
peripheral's object without first saying that it is disconnected.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

_log = logging.getLogger(__name__)

_DEATH = (
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='org.bluez'"
)
_REMOVAL = "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.ObjectManager',member='InterfacesRemoved'"


class BluezWatch:
    """One connection to the system bus, listening for ends. Elsewhere than on Linux it does nothing."""

    def __init__(self, *, died: Callable[[], None], removed: Callable[[str], None]) -> None:
        """`died`: the daemon left. `removed`: the daemon forgot the peripheral of that address."""
        self._died = died
        self._removed = removed
        self._starting = asyncio.Lock()
        self._bus: MessageBus | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, if not listening yet. Raises what dbus-fast raises, and `ConnectionError`."""
        if sys.platform != "linux":
            return
        async with self._starting:
            if self._bus is None or not self._bus.connected:
                self.close()
                await self._connect()

    async def _connect(self) -> None:
        from dbus_fast import BusType  # noqa: PLC0415 - only BLE pays for importing D-Bus
        from dbus_fast.aio import MessageBus  # noqa: PLC0415 - as above

        bus = MessageBus(bus_type=BusType.SYSTEM)
        try:
            await bus.connect()
            bus.add_message_handler(self._on_message)
            await _subscribe(bus, _DEATH)
            await _subscribe(bus, _REMOVAL)
        except BaseException:
            bus.disconnect()
            raise
        self._bus = bus
        self._following = asyncio.get_running_loop().create_task(self._follow(bus))

    async def _follow(self, bus: "MessageBus") -> None:
        """Until the bus ends; when it ends by itself, so has everything on it."""
        from dbus_fast.errors import DBusFastError  # noqa: PLC0415 - as above

        try:
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast has no types here
        except (OSError, EOFError, DBusFastError) as error:
            _log.warning("the system D-Bus ended: %r", error)
            self._died()

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    def _on_message(self, message: "Message") -> None:
        if message.member == "NameOwnerChanged" and message.sender == "org.freedesktop.DBus":
            name, _, owner = message.body
            if name == "org.bluez" and not owner:
                self._died()
        elif message.member == "InterfacesRemoved":
            path, interfaces = message.body
            if "org.bluez.Device1" in interfaces:
                # /org/bluez/hci0/dev_C0_FF_EE_00_00_01
                self._removed(path.rpartition("/dev_")[2].replace("_", ":"))


async def _subscribe(bus: "MessageBus", rule: str) -> None:
    from dbus_fast import Message, MessageType  # noqa: PLC0415 - as above

    reply = await bus.call(
        Message(
            destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus",
            member="AddMatch",
            signature="s",
            body=[rule],
        )
    )
    if reply.message_type is MessageType.ERROR:
        raise ConnectionError(f"D-Bus refuses to report on BlueZ: {reply.error_name}")
