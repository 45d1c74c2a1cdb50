"""What bleak and D-Bus raise, made ours once, with what a person has to do about it; and hard time limits."""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine, Iterator
from typing import TypeVar

from devicehub.model.errors import LinkError, LinkLostError, LinkMissingError, LinkPermissionError

T = TypeVar("T")

NO_ADAPTER = "no Bluetooth adapter: plug one in and check it with 'bluetoothctl list'"
NO_CENTRAL = "the Bluetooth adapter cannot connect to BLE devices: use one for Bluetooth 4.0 or newer"
POWERED_OFF = (
    "the Bluetooth adapter is off: turn it on with 'bluetoothctl power on'"
    " (if that fails, 'rfkill unblock bluetooth' first)"
)
NO_DAEMON = "the Bluetooth daemon is not running: start it with 'systemctl start bluetooth'"
DENIED = "Bluetooth is denied to this user: add it to the group 'bluetooth' and start the hub again"
NO_BUS = "the system D-Bus cannot be reached, and Bluetooth needs it: start it with 'systemctl start dbus'"

_ADVICE = {
    "org.bluez.Error.NotReady": POWERED_OFF,
    "org.freedesktop.DBus.Error.ServiceUnknown": NO_DAEMON,
    "org.freedesktop.DBus.Error.NameHasNoOwner": NO_DAEMON,
    "org.freedesktop.DBus.Error.NoReply": NO_DAEMON,
    "org.freedesktop.DBus.Error.AccessDenied": DENIED,
}


async def bounded(work: Coroutine[object, object, T], seconds: float, grace: float = 1.0) -> T:
    """Run `work` for at most `seconds`, cancel it, and turn away after `grace` more. Raises `TimeoutError`.

    When cancelled, bleak still tidies up over D-Bus: with a daemon that hangs, cancelling alone never ends.
    """
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(retrieve)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=grace)
    if not task.done() or task.cancelled():
        raise TimeoutError(f"no answer within {seconds:g} s")
    return task.result()


def retrieve(task: "asyncio.Task[T]") -> None:
    """Look at the result of a task that nobody may be waiting for any more, so that asyncio does not complain."""
    if not task.cancelled():
        task.exception()


@contextlib.contextmanager
def bluetooth_errors(doing: str, *, opened: bool = False) -> Iterator[None]:
    """Translate what bleak, D-Bus and our own deadlines raise, once.

    While a link is being opened these become `LinkMissingError` or `LinkPermissionError` with what
    to do; once it is `opened`, `LinkLostError`.
    """
    try:
        yield
    except _foreign_errors() as error:
        raise _translated(doing, error, opened=opened) from error


def _foreign_errors() -> tuple[type[Exception], ...]:
    from bleak.exc import BleakError  # noqa: PLC0415 - takes longer to import than all of the hub; only BLE pays

    # bleak asserts and looks up its own state, which is gone when the bus or the peripheral dies within a call.
    errors = (BleakError, OSError, EOFError, AssertionError, KeyError)
    if sys.platform != "linux":
        return errors
    from dbus_fast.errors import DBusFastError  # noqa: PLC0415 - as above

    return (*errors, DBusFastError)


def _translated(doing: str, error: Exception, *, opened: bool) -> LinkError:
    from bleak.exc import BleakGATTProtocolError  # noqa: PLC0415 - as above

    said = error.args[-1] if isinstance(error, BleakGATTProtocolError) else error
    detail = str(said) or type(error).__name__
    if opened:
        return LinkLostError(f"{doing}: {detail}")
    advice = _advice(error)
    if advice == DENIED:
        return LinkPermissionError(f"{doing}: {advice}")
    return LinkMissingError(f"{doing}: {advice or detail}")


def _advice(error: Exception) -> str:
    """What a person has to do about an error; empty when it speaks for itself."""
    from bleak.exc import (  # noqa: PLC0415 - as above
        BleakBluetoothNotAvailableError,
        BleakBluetoothNotAvailableReason,
        BleakDBusError,
    )

    if isinstance(error, BleakDBusError):
        return _ADVICE.get(error.dbus_error, "")
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        return NO_BUS
    if not isinstance(error, BleakBluetoothNotAvailableError):
        return ""
    return {
        BleakBluetoothNotAvailableReason.NO_BLUETOOTH: NO_ADAPTER,
        BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: NO_CENTRAL,
        BleakBluetoothNotAvailableReason.POWERED_OFF: POWERED_OFF,
        BleakBluetoothNotAvailableReason.UNKNOWN: "",
    }.get(error.reason, DENIED)
