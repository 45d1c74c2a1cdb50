"""What the BLE tests share: a private bus with the simulated daemon, and a peripheral that echoes."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.driver import BleLink
from devicehub.transport.ble_radio import BleLimits
from tests.real.dbus_daemon import private_bus
from tests.real.fake_bluez import FakeBluez

needs_dbus_daemon = pytest.mark.needs("dbus-daemon")

ADDRESS = "C0:FF:EE:00:00:01"
OTHER = "C0:FF:EE:00:00:02"
REQUEST = "0000f00d-0000-1000-8000-00805f9b34fb"
ANSWER = "0000beef-0000-1000-8000-00805f9b34fb"
SERVICE = "0000cafe-0000-1000-8000-00805f9b34fb"
ECHO = BleLink(notify=(ANSWER,), name="Echo")
LIMITS = BleLimits(scan=0.4, connect=0.6, reply=0.6, notifications=8)


class Echo:
    """A peripheral that notifies what was written to it, and counts once a second."""

    def __init__(self, name: str = "Echo-1") -> None:
        self.name = name
        self.services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
            SERVICE: ((REQUEST, ("write", "write-without-response")), (ANSWER, ("notify",)))
        }
        self._elapsed = 0.0
        self._count = 0

    def do(self, verb: str, **values: float | str) -> None:
        raise ValueError(verb)

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        assert characteristic == REQUEST
        return [(ANSWER, data)]

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        self._elapsed += dt
        out = []
        while self._elapsed >= 1.0:
            self._elapsed -= 1.0
            self._count += 1
            out.append((ANSWER, bytes([self._count])))
        return out


@contextlib.asynccontextmanager
async def simulated_bluetooth(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBluez]:
    """A Bluetooth daemon on a bus of its own, which bleak takes for the system's."""
    async with private_bus(folder) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        daemon = await FakeBluez.start(address)
        yield daemon
        await daemon.crash()


async def until(condition: Callable[[], bool]) -> None:
    """Wait, at most five seconds, until a condition of the simulated world holds."""
    clock = Clock()
    deadline = clock.monotonic() + 5
    while not condition():
        assert clock.monotonic() < deadline, "it never came true"
        await clock.sleep(0.001)
