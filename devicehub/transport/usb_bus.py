"""A simulated USB bus: a pyusb backend over `UsbSimulator` objects, so that unmodified pyusb sees them.

    bus = UsbBus()
    bus.plug(SeekCompact(Random(1)))
    usb.core.find(idVendor=0x289D, backend=bus.backend)

Blocking reads wait for data up to their time-out, as on a real bus; time passes in the simulators
when `advance` (or the coroutine `run`) says so. Everything may be called from any thread.
"""

from threading import Condition

import usb.backend

from devicehub.clock import Clock
from devicehub.simulator import UsbSimulator
from devicehub.transport.usb_backend import Plugged, SimulatedBackend

TICK = 0.02


class UsbBus:
    """The bus and its sockets. `backend` is what pyusb's functions take."""

    def __init__(self, number: int = 1) -> None:
        self._number = number
        self._changed = Condition()
        self._devices: list[Plugged] = []
        self._next_address = 1
        self.backend: usb.backend.IBackend = SimulatedBackend(self._changed, self._devices, number)

    def plug(
        self, simulator: UsbSimulator, *, port: str = "", kernel_drivers: tuple[int, ...] = (), accessible: bool = True
    ) -> str:
        """Plug a device in; its path on the bus ("1-2.3").

        `port`: socket and hub ports ("2.3"), by default the next free one. `kernel_drivers`: interfaces a kernel
        driver binds at once. `accessible`: whether this process may open it.
        """
        with self._changed:
            address, self._next_address = self._next_address, self._next_address + 1
            ports = tuple(int(part) for part in (port or str(address)).split("."))
            configuration = simulator.descriptor.configuration
            plugged = Plugged(simulator, address, ports, accessible, configuration=configuration)
            plugged.drivers.update(kernel_drivers)
            self._devices.append(plugged)
        return f"{self._number}-{'.'.join(str(part) for part in ports)}"

    def unplug(self, simulator: UsbSimulator) -> None:
        """Yank a device: every transfer on it fails from now on. Raises `ValueError` if it is not plugged in."""
        with self._changed:
            plugged = self._plugged(simulator)
            plugged.present = False
            self._devices.remove(plugged)
            self._changed.notify_all()

    def pull(self, simulator: UsbSimulator) -> None:
        """Yank a device that the kernel lists, opens and claims until `unplug`: only what goes over the wire fails.

        Raises `ValueError` if it is not plugged in.
        """
        with self._changed:
            self._plugged(simulator).wired = False
            self._changed.notify_all()

    def kernel_drivers(self, simulator: UsbSimulator) -> set[int]:
        """The interfaces of a device that a kernel driver has bound."""
        with self._changed:
            return set(self._plugged(simulator).drivers)

    def claimed(self, simulator: UsbSimulator) -> set[int]:
        """The interfaces of a device that some handle has claimed."""
        with self._changed:
            return set(self._plugged(simulator).holders)

    def advance(self, dt: float) -> None:
        """`dt` seconds pass for all devices."""
        with self._changed:
            for plugged in self._devices:
                plugged.simulator.advance(dt)
            self._changed.notify_all()

    async def run(self, clock: Clock) -> None:
        """Let time pass until cancelled, in steps of 20 ms."""
        last = clock.monotonic()
        while True:
            await clock.sleep(TICK)
            now = clock.monotonic()
            self.advance(now - last)
            last = now

    def _plugged(self, simulator: UsbSimulator) -> Plugged:
        for plugged in self._devices:
            if plugged.simulator is simulator:
                return plugged
        raise ValueError("that device is not plugged in")
