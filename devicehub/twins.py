"""Two devices that say they are the same: told once, kept apart, and never guessed between."""

from collections.abc import Callable, Iterable, Mapping

from devicehub.driver import Driver, SerialLink, UsbLink, VideoLink
from devicehub.model.device import UsbId
from devicehub.transport.inventory import Conflict, Present, conflicts


class Twins:
    """Watches what is present for devices that a driver of this hub could confuse."""

    def __init__(self, drivers: Callable[[], Mapping[str, Driver]], tell: Callable[[str], None]) -> None:
        """`drivers`: those in use now, by device. `tell` is called once for each set of alike devices."""
        self._drivers = drivers
        self._tell = tell
        self._told: set[Conflict] = set()

    def look(self, present: Iterable[Present]) -> None:
        """Look at everything that is plugged in."""
        known = {usb for driver in self._drivers().values() for usb in _ids(driver)}
        for conflict in conflicts(present):
            if conflict.usb in known and conflict not in self._told:
                self._told.add(conflict)
                self._tell(_sentence(conflict))


def _ids(driver: Driver) -> tuple[UsbId, ...]:
    match driver.link:
        case SerialLink(usb=ids) | UsbLink(ids=ids) | VideoLink(ids=ids):
            return ids
        case _:
            return ()


def _sentence(conflict: Conflict) -> str:
    sockets = ", ".join(sorted({device.port for device in conflict.devices}))
    serial = f"serial number {conflict.serial}" if conflict.serial else "no serial number"
    return f"devices {conflict.usb} with {serial} are in several sockets ({sockets}): give 'port' to tell them apart"
