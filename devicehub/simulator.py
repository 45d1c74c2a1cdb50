"""How a simulator is declared: physics and wire of one device, driven by `dt`, sharing no code with its driver.

A simulator module has one attribute, `SIMULATOR`: a factory that takes a seeded `random.Random`
and gives an object of one of the protocols below. What may be done to the simulated world from
outside (a scenario, a test, the demo) are verbs, called by name through `Simulator.do`. Every
simulator knows the verb `demo`: from then on the simulated operator acts by himself (scans, swabs,
points the camera at something warm), so that every declared channel is produced within ten minutes.
Image streams also know `rate(hz)`: frames per second from then on.

Time never comes from a clock: `advance(dt)` moves the device's world by `dt` seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol


class Simulator(Protocol):
    """What all simulators have."""

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world: `demo`, `scan`, `press`, ... Raises `ValueError` for an unknown verb."""
        ...


class SerialSimulator(Simulator, Protocol):
    """A device on a serial line."""

    def on_bytes(self, data: bytes) -> bytes:
        """The host wrote `data`; what the device answers at once."""
        ...

    def advance(self, dt: float) -> bytes:
        """`dt` seconds pass; what the device says of its own accord."""
        ...


class StallError(Exception):
    """The device answers a transfer with STALL."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's address (bit 7 set: to the host), transfer type and largest packet."""

    address: int
    kind: str = "bulk"
    size: int = 512


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface (and alternate setting) with its class triple and endpoints.

    `extra`: class descriptors that stand behind it in the configuration, such as that of HID.
    """

    number: int
    alternate: int = 0
    triple: tuple[int, int, int] = (0xFF, 0x00, 0x00)
    endpoints: tuple[Endpoint, ...] = ()
    extra: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbDescriptor:
    """What a USB device says it is."""

    vendor: int
    product: int
    serial: str = ""
    manufacturer: str = ""
    title: str = ""
    release: int = 0x0100
    configuration: int = 1
    interfaces: tuple[Interface, ...] = field(default=())


class UsbSimulator(Simulator, Protocol):
    """A device at the level of USB transfers: served by the simulated bus, in process or below a real kernel."""

    descriptor: UsbDescriptor

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """A vendor or class control transfer to the host. Raises `StallError`."""
        ...

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """A vendor or class control transfer to the device. Raises `StallError`."""
        ...

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """One bulk or interrupt transfer to the host, at most `size` bytes; None when there is nothing yet."""
        ...

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """One bulk or interrupt transfer to the device. Raises `StallError`."""
        ...

    def advance(self, dt: float) -> None:
        """`dt` seconds pass."""
        ...


class BleSimulator(Simulator, Protocol):
    """A GATT peripheral. `services`: service UUID to (characteristic UUID, properties such as "notify")."""

    name: str
    services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]]

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        """The host wrote; notifications (characteristic, value) sent at once."""
        ...

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """`dt` seconds pass; notifications sent of the device's own accord."""
        ...


class VideoSimulator(Simulator, Protocol):
    """A camera below V4L2. `vendor`, `product`: USB ids; `formats`: (FourCC, width, height, fps)."""

    title: str
    vendor: int
    product: int
    formats: tuple[tuple[str, int, int, float], ...]

    def select(self, fourcc: str, width: int, height: int) -> None:
        """The host chose a format. Raises `ValueError` for one the camera does not have."""
        ...

    def advance(self, dt: float) -> list[bytes]:
        """`dt` seconds pass; the frames that became ready."""
        ...

    def buttons(self) -> list[bool]:
        """Edges of the snapshot button since the last call: True pressed, False released."""
        ...


class FileSimulator(Simulator, Protocol):
    """A device that leaves files: each a name and the whole content. Of an operator: each an entry, without a name."""

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """`dt` seconds pass; the files written."""
        ...


class NetworkSimulator(Simulator, Protocol):
    """A device on a network: datagrams, or pieces of a TCP stream."""

    def connect(self, port: int) -> None:
        """The host opened its end, at `port` of its own."""
        ...

    def on_datagram(self, port: int, data: bytes) -> list[bytes]:
        """The host sent to `port` of the device; what is sent back at once."""
        ...

    def advance(self, dt: float) -> list[bytes]:
        """`dt` seconds pass; what is sent of the device's own accord."""
        ...


AnySimulator = SerialSimulator | UsbSimulator | BleSimulator | VideoSimulator | FileSimulator | NetworkSimulator
SimulatorFactory = Callable[[Random], AnySimulator]
