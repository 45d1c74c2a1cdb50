"""Hot-plug on Linux: arrivals and departures of serial ports, USB devices, cameras, input devices and BLE adapters.

Uevents come from udev's netlink group when udevd runs (they follow the setting of permissions),
else from the kernel's (a container without udevd). They are only reasons to look, see `inventory`;
a look at everything every few seconds makes up for events that were lost or never sent. Without
netlink that look is all there is, every `interval` seconds.
"""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devicehub.clock import Clock
from devicehub.transport.inventory import Arrival, Change, Departure, Inventory, Present, Snapshot
from devicehub.transport.sysfs import SUBSYSTEMS, read_device, snapshot

SYSFS = Path("/sys")
UDEV_CONTROL = Path("/run/udev/control")
RECHECK = 5.0
SETTLE = 0.1
AFTER_A_BUG = 10.0
_BURST = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Uevent:
    """A uevent: "add", "remove", "bind", "change", ... of a path below /sys. The rest of it is not to be trusted."""

    action: str
    path: str


class UeventSource(Protocol):
    """Where uevents come from."""

    def fileno(self) -> int:
        """Readable when there are uevents."""
        ...

    def drain(self) -> list[Uevent]:
        """Those that are there, without waiting. Raises `OSError`, ENOBUFS when some were lost."""
        ...


class NetlinkSource:
    """Uevents from libudev's monitor. Raises `OSError` when netlink is not allowed, `ImportError` without libudev."""

    def __init__(self, group: str) -> None:
        """`group`: "udev" or "kernel"."""
        import pyudev  # noqa: PLC0415 - loads libudev, which only Linux has

        self._monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source=group)
        for subsystem in SUBSYSTEMS:
            self._monitor.filter_by(subsystem)
        self._monitor.start()

    def fileno(self) -> int:
        """The netlink socket."""
        return int(self._monitor.fileno())

    def drain(self) -> list[Uevent]:
        """What is queued, a burst at a time. Raises `OSError`."""
        out: list[Uevent] = []
        while len(out) < _BURST and (device := self._monitor.poll(0)) is not None:
            out.append(Uevent(str(device.action), str(device.device_path)))
        return out


def netlink() -> UeventSource | None:
    """The best source this system has; None when there is none and looking is all that is left."""
    group = "udev" if UDEV_CONTROL.exists() else "kernel"
    try:
        return NetlinkSource(group)
    except (ImportError, OSError) as error:
        _log.warning("no uevents from %s (%s): looking for devices at intervals", group, error)
        return None


class HotPlug:
    """What is plugged in, and what comes and goes. One reader of `events` at a time."""

    def __init__(
        self, clock: Clock, source: UeventSource | None = None, *, root: Path = SYSFS, interval: float = 1.0
    ) -> None:
        """`source`: from `netlink`, or None to look every `interval` seconds. `root`: where sysfs is."""
        self._clock = clock
        self._source = source
        self._root = root
        self._interval = interval
        self._patience = self._interval if source is None else RECHECK
        self._inventory = Inventory()

    @property
    def present(self) -> tuple[Present, ...]:
        """What has arrived and not departed."""
        return self._inventory.present

    async def events(self) -> AsyncIterator[Arrival | Departure]:
        """First an arrival for everything that is there, then what happens, without end.

        Nothing is read while the reader of this iterator is busy: uevents wait in the kernel, and if
        they are too many there, everything is looked at anew.
        """
        uevents: list[Uevent] | None = None
        while True:
            for event in self._look(uevents):
                yield event
            uevents = await self._wait()

    def _look(self, uevents: list[Uevent] | None) -> list[Arrival | Departure]:
        """At the paths that uevents name, or at everything."""
        self._patience = self._interval if self._source is None else RECHECK
        if uevents is None:
            return self._inventory.apply(Snapshot(snapshot(self._root)))
        out: list[Arrival | Departure] = []
        for uevent in uevents:
            now = read_device(self._root, uevent.path)
            removal = uevent.action == "remove"
            if removal and now is not None and self._inventory.holds(now):
                # Either the event is about an earlier stay, or the kernel, which tells first and removes
                # afterwards, is not done yet. A moment later it is.
                self._patience = SETTLE
            out.extend(self._inventory.apply(Change(uevent.path, now, removal)))
        return out

    async def _wait(self) -> list[Uevent] | None:
        """For uevents; None when it is time to look at everything."""
        if self._source is None:
            await self._clock.sleep(self._patience)
            return None
        try:
            async with asyncio.timeout(self._patience):
                await _readable(self._source.fileno())
            return self._source.drain()
        except TimeoutError:
            return None
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                _log.warning("uevents ended (%s): looking for devices at intervals", error)
                self._source = None
            return None


async def tell_arrivals(make: Callable[[], HotPlug], tell: Callable[[tuple[Present, ...]], None], clock: Clock) -> None:
    """Call `tell` with what is present for whatever arrives, for ever.

    A watch that breaks is reported with its traceback and made anew.
    """
    while True:
        watch = asyncio.create_task(_tell(make(), tell))
        try:
            await asyncio.wait([watch])
        finally:
            watch.cancel()
        _log.error("watching for devices broke, trying again in %.0f s", AFTER_A_BUG, exc_info=watch.exception())
        await clock.sleep(AFTER_A_BUG)


async def _tell(hotplug: HotPlug, tell: Callable[[tuple[Present, ...]], None]) -> None:
    async for event in hotplug.events():
        if isinstance(event, Arrival):
            tell(hotplug.present)


async def _readable(descriptor: int) -> None:
    """Wait until a descriptor can be read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
